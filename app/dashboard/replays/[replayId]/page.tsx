import { notFound } from "next/navigation";

import { readDescribedReplay } from "#operations/describe-replay.ts";
import { requirePlainAddress } from "#dashboard/lists/list-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { Replay } from "#dashboard/view/repair/replay.tsx";
import { Shown } from "#dashboard/view/shown.tsx";
import { systemClock } from "#platform/clock.ts";

import { readSignedIn } from "../../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Replay" };

interface Props {
  params: Promise<{ replayId: string }>;
  searchParams: Promise<SearchParams>;
}

/** One replay: its plan, its progress and its result. */
export default async function ReplayPage({ params, searchParams }: Props) {
  const given = await searchParams;
  const replayId = decodeURIComponent((await params).replayId);
  const path = `/dashboard/replays/${encodeURIComponent(replayId)}`;
  const found = await readSignedIn(path, async (db) => {
    requirePlainAddress(given);
    return readDescribedReplay(db, replayId);
  });
  return (
    <Shown title="Replay" found={found} onNotFound={notFound}>
      {(replay) => <Replay replay={replay} nowMs={systemClock.nowMs()} />}
    </Shown>
  );
}
