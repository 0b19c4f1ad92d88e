import type { SearchParams } from "#dashboard/overview-query.ts";
import { readAckParts } from "#dashboard/read-ack-parts.ts";
import { readRuntimes } from "#dashboard/read-runtimes.ts";
import { comparisonFilter, runtimesQuery } from "#dashboard/runtimes-query.ts";
import { Runtimes } from "#dashboard/view/runtimes/runtimes.tsx";
import { Shown } from "#dashboard/view/shown.tsx";
import { systemClock } from "#platform/clock.ts";

import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Edge and Node" };

/** Which runtime is faster, and every figure that says so. */
export default async function RuntimesPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const nowMs = systemClock.nowMs();
  const query = runtimesQuery(await searchParams);
  const filter = comparisonFilter(query);
  const found = await readSignedIn("/dashboard/runtimes", (db) =>
    Promise.all([readRuntimes(db, query.window, nowMs), readAckParts(db, query.window, filter, nowMs)]),
  );
  return <Shown found={found}>{([comparison, parts]) => <Runtimes {...{ comparison, parts, query, nowMs }} />}</Shown>;
}
