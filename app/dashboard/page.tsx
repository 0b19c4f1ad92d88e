import { overviewQuery, type SearchParams } from "#dashboard/overview-query.ts";
import { readOverview } from "#dashboard/read-overview.ts";
import { Overview } from "#dashboard/view/overview.tsx";
import { Shown } from "#dashboard/view/shown.tsx";
import { systemClock } from "#platform/clock.ts";
import { isEdgeEmulated } from "#platform/delivery.ts";

import { findPathFaults, rollUps } from "../services.ts";
import { readSignedIn } from "./signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Overview" };

/** How both runtimes do, and the newest events. */
export default async function OverviewPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const nowMs = systemClock.nowMs();
  const query = overviewQuery(await searchParams);
  const options = { nowMs, isEmulated: isEdgeEmulated(process.env), rollUp: rollUps.now };
  const [overview, faults] = await Promise.all([
    readSignedIn("/dashboard", (db) => readOverview(db, { ...query, ...options, clock: systemClock })),
    findPathFaults(),
  ]);
  return <Shown found={overview}>{(found) => <Overview {...{ ...query, overview: found, faults, nowMs }} />}</Shown>;
}
