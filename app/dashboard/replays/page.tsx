import { listRequest, readList } from "#dashboard/lists/list-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { parseReplayPage, readReplayPage } from "#dashboard/repair/read-replays.ts";
import { Replays } from "#dashboard/view/repair/replays.tsx";
import { readDescribedBackfills } from "#operations/backfill/describe-backfill.ts";
import { systemClock } from "#platform/clock.ts";

import { readPreferences } from "../preferences.ts";
import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Replays" };

const path = "/dashboard/replays";

/** What was and is replayed. */
export default async function ReplaysPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const nowMs = systemClock.nowMs();
  const { zone } = await readPreferences();
  const request = listRequest(await searchParams, { path, parse: parseReplayPage, zone, nowMs });
  const found = await readSignedIn(path, (db) =>
    readList(request, async (filter) => ({
      ...(await readReplayPage(db, filter)),
      backfills: await readDescribedBackfills(db, { limit: 10 }),
    })),
  );
  return <Replays {...{ request, found, zone, nowMs }} />;
}
