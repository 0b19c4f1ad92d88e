import { redirect } from "next/navigation";

import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { parseExperimentId, readDiagnostics } from "#dashboard/diagnostics/read-diagnostics.ts";
import { Diagnostics } from "#dashboard/view/diagnostics/diagnostics.tsx";
import { Shown } from "#dashboard/view/shown.tsx";
import { systemClock } from "#platform/clock.ts";

import { queueView } from "../../queue/queue.ts";
import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Diagnostics" };

/** The doctor's checks and the lifecycle experiment. The address of one that was deleted for newer ones leads to the newest. */
export default async function DiagnosticsPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const nowMs = systemClock.nowMs();
  const given = await searchParams;
  const found = await readSignedIn("/dashboard/diagnostics", async (db) =>
    readDiagnostics(db, parseExperimentId(given), nowMs),
  );
  return (
    <Shown title="Diagnostics" found={found} retries={false} onNotFound={() => redirect("/dashboard/diagnostics")}>
      {(diagnostics) => <Diagnostics {...diagnostics} queue={queueView()} nowMs={nowMs} />}
    </Shown>
  );
}
