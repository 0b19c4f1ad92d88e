import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { readRuntimesPage } from "#dashboard/runtimes/read-runtimes-page.ts";
import { comparisonQuery, runtimesQuery } from "#dashboard/runtimes/runtimes-query.ts";
import { Runtimes } from "#dashboard/view/runtimes/runtimes.tsx";
import { Shown } from "#dashboard/view/shown.tsx";
import { systemClock } from "#platform/clock.ts";
import { isEdgeEmulated } from "#platform/delivery.ts";

import { log } from "../../log.ts";
import { rollUps } from "../../services.ts";
import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Edge and Node" };

/** Which runtime is faster, and every figure that says so. */
export default async function RuntimesPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const nowMs = systemClock.nowMs();
  const given = await searchParams;
  const options = { nowMs, isEmulated: isEdgeEmulated(process.env), rollUp: rollUps.now, log };
  const page = await readSignedIn("/dashboard/runtimes", async (db) => {
    const query = runtimesQuery(given);
    return { ...(await readRuntimesPage(db, comparisonQuery(query), options)), query };
  });
  return (
    <Shown title="Edge and Node" found={page}>
      {(found) => <Runtimes {...{ ...found, nowMs }} />}
    </Shown>
  );
}
