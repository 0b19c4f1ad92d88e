import { notFound } from "next/navigation";

import { listRequest, readList } from "#dashboard/lists/list-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { parseDeadLetterFilter, readDeadLetters } from "#dashboard/repair/read-dead-letters.ts";
import { parseRowId } from "#dashboard/lists/row-id.ts";
import { DeadLetterGroup } from "#dashboard/view/repair/dead-letter-group.tsx";
import { Shown } from "#dashboard/view/shown.tsx";
import { systemClock } from "#platform/clock.ts";

import { readPreferences } from "../../preferences.ts";
import { readSignedIn } from "../../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Dead letters of one cause" };

interface Props {
  params: Promise<{ groupId: string }>;
  searchParams: Promise<SearchParams>;
}

/** One group of dead letters with its members. */
export default async function DeadLetterGroupPage({ params, searchParams }: Props) {
  const nowMs = systemClock.nowMs();
  const { groupId } = await params;
  const path = `/dashboard/dead-letters/${groupId}`;
  const { zone } = await readPreferences();
  const request = listRequest(await searchParams, { path, parse: parseDeadLetterFilter, zone, nowMs });
  const page = await readSignedIn(path, (db) =>
    readList(request, (filter) => readDeadLetters(db, parseRowId(groupId), filter)),
  );
  return (
    <Shown title="Dead letters" found={page} onNotFound={notFound}>
      {(found) => <DeadLetterGroup {...{ ...request, page: found, zone, nowMs }} />}
    </Shown>
  );
}
