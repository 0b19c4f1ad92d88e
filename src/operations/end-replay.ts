import { settleGroups } from "#store/dead-letters/dead-letter-groups.ts";
import { readProgress, releaseReplayEvents } from "#store/replays/replay-progress.ts";
import { endReplay, type Replay } from "#store/replays/replays.ts";

import type { Operations } from "./operations.ts";

/** Ends a replay before its end; false if it had ended. Throws `STORE_UNAVAILABLE`. */
export async function stopReplay(
  replay: Replay,
  because: string,
  { db, log }: Pick<Operations, "db" | "log">,
): Promise<boolean> {
  const counts = await countsOf(replay, { db });
  const ended = await endReplay(db, replay.id, { state: "cancelled", because, counts });
  if (ended === undefined) return false;
  await releaseReplayEvents(db, replay.id);
  log.warn("replay.cancelled", { replayId: replay.id, because, ...counts });
  return true;
}

/** Ends a replay that has nothing left to do, and the groups whose dead letters it handled. Throws `STORE_UNAVAILABLE`. */
export async function finishReplay(replay: Replay, { db, log }: Pick<Operations, "db" | "log">): Promise<void> {
  const counts = await countsOf(replay, { db });
  await releaseReplayEvents(db, replay.id);
  await settleGroups(db, log);
  // Last: what is finished is done in all its parts.
  const ended = await endReplay(db, replay.id, { state: "finished", because: null, counts });
  if (ended !== undefined) log.info("replay.finished", { replayId: replay.id, ...counts });
}

/** What a replay comes to if it ends now. Throws `STORE_UNAVAILABLE`. */
async function countsOf(replay: Replay, { db }: Pick<Operations, "db">) {
  const { events, batches } = await readProgress(db, replay);
  const [done, failed] = [events.done + batches.done, events.failed + batches.failed];
  return { done, failed, skipped: replay.startedAtMs === null ? 0 : Math.max(0, replay.total - done - failed) };
}
