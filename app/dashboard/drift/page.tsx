import { listRequest, readList } from "#dashboard/lists/list-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { parseDriftFilter, readDrift } from "#dashboard/events/read-drift.ts";
import { Drift } from "#dashboard/view/drift/drift.tsx";
import { eventKinds } from "#instagram/events.ts";
import { systemClock } from "#platform/clock.ts";

import { readPreferences } from "../preferences.ts";
import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Drift" };

const path = "/dashboard/drift";

/** How Meta's data differs from the schemas of this release. */
export default async function DriftPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const nowMs = systemClock.nowMs();
  const { zone } = await readPreferences();
  const request = listRequest(await searchParams, { path, parse: parseDriftFilter, zone, nowMs });
  const found = await readSignedIn(path, (db) => readList(request, (filter) => readDrift(db, filter)));
  return <Drift {...{ request, found, kinds: eventKinds, zone, nowMs }} />;
}
