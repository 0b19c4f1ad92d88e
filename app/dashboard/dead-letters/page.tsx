import { listRequest, readList } from "#dashboard/lists/list-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { parseDeadLetterGroupFilter, readDeadLetterGroups } from "#dashboard/repair/read-dead-letter-groups.ts";
import { DeadLetters } from "#dashboard/view/repair/dead-letters.tsx";
import { systemClock } from "#platform/clock.ts";

import { queueView } from "../../queue/queue.ts";
import { readPreferences } from "../preferences.ts";
import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Dead letters" };

const path = "/dashboard/dead-letters";

/** What was given up, in groups. */
export default async function DeadLettersPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const nowMs = systemClock.nowMs();
  const { zone } = await readPreferences();
  const request = listRequest(await searchParams, { path, parse: parseDeadLetterGroupFilter, zone, nowMs });
  const found = await readSignedIn(path, (db) => readList(request, (filter) => readDeadLetterGroups(db, filter)));
  return <DeadLetters {...{ request, found, queue: queueView(), zone, nowMs }} />;
}
