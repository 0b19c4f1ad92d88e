import { redirect } from "next/navigation";

import { readLifecycle, readLifecycles } from "#dashboard/read-lifecycle.ts";
import { Lifecycle } from "#dashboard/view/lifecycle.tsx";
import { Unavailable } from "#dashboard/view/notices.tsx";
import { systemClock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";

import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Diagnostics" };

interface Props {
  searchParams: Promise<{ experiment?: string | string[] }>;
}

/** How many experiments there are links to. */
const shownMax = 5;

export default async function DiagnosticsPage({ searchParams }: Props) {
  const nowMs = systemClock.nowMs();
  const asked = [(await searchParams).experiment].flat()[0];
  const found = await readSignedIn("/dashboard/diagnostics", async (db) => {
    const others = await readLifecycles(db, shownMax);
    const newestId = others[0]?.id;
    const read = async (id: string | undefined) => (id === undefined ? null : readLifecycle(db, id, nowMs));
    const experiment = await read(asked ?? newestId);
    // An older one may be shown while the newest is under way.
    const newest = experiment?.id === newestId ? experiment : await read(newestId);
    return { others, experiment, underWayUntil: newest?.lookAgainAt ?? null };
  });
  if (!(found instanceof RelayError)) return <Lifecycle {...found} nowMs={nowMs} />;
  // Forgotten for newer ones.
  if (found.code === "NOT_FOUND") redirect("/dashboard/diagnostics");
  return <Unavailable reason={found.message} retries={false} />;
}
