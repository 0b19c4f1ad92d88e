import { listRequest } from "#dashboard/lists/list-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { parseNewReplay } from "#dashboard/repair/new-replay-query.ts";
import { readNewReplay } from "#dashboard/repair/read-new-replay.ts";
import { NewReplay } from "#dashboard/view/repair/new-replay.tsx";
import { reclassify } from "#instagram/data/reclassify.ts";
import { systemClock } from "#platform/clock.ts";

import { readPreferences } from "../../preferences.ts";
import { readSignedIn } from "../../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Plan a replay" };

const path = "/dashboard/replays/new";

/** What a replay of the address's conditions would take. */
export default async function NewReplayPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const nowMs = systemClock.nowMs();
  const { zone } = await readPreferences();
  const request = listRequest(await searchParams, { path, parse: parseNewReplay, zone, nowMs });
  const found = await readSignedIn(path, (db) => readNewReplay(request, { db, clock: systemClock, reclassify }));
  return <NewReplay {...{ request, found, zone, nowMs }} />;
}
