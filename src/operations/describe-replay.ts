import type { Database } from "#store/database.ts";
import { readProgress } from "#store/replay-progress.ts";
import { readReplay, readReplays, type Replay } from "#store/replays.ts";

/** A replay as the API shows it, with the members of its plan. Times are ISO 8601. */
export interface DescribedReplay extends Record<string, unknown> {
  id: string;
  state: Replay["state"];
  mode: Replay["mode"];
  /** Events, and batches that were never ingested. */
  count: number;
  batches: number;
  done: number;
  failed: number;
  skipped: number;
  /** Published and not tried yet. */
  pending: number;
  stoppedBecause: string | null;
  createdAt: string;
}

/** The counts are those of this moment; of a replay that has ended, those of its end. Throws `STORE_UNAVAILABLE`. */
export async function describeReplay(db: Database, replay: Replay): Promise<DescribedReplay> {
  const { plan, createdAtMs, startedAtMs, heartbeatAtMs, finishedAtMs } = replay;
  const { id, state, mode, filter, reason, actor, ratePerMinute, stoppedBecause } = replay;
  const hasEnded = state === "finished" || state === "cancelled";
  const progress = state === "planned" || hasEnded ? null : await readProgress(db, replay);
  const sum = (pick: "done" | "failed" | "pending") =>
    progress === null ? 0 : progress.events[pick] + progress.batches[pick];
  return {
    ...(plan as { count: number; batches: number }),
    id,
    state,
    mode,
    filter,
    reason,
    actor,
    ratePerMinute,
    done: replay.done + sum("done"),
    failed: replay.failed + sum("failed"),
    skipped: replay.skipped,
    pending: sum("pending"),
    stoppedBecause,
    createdAt: new Date(createdAtMs).toISOString(),
    startedAt: iso(startedAtMs),
    heartbeatAt: iso(heartbeatAtMs),
    finishedAt: iso(finishedAtMs),
  };
}

/** One replay; throws `NOT_FOUND`. */
export async function readDescribedReplay(db: Database, id: string): Promise<DescribedReplay> {
  return describeReplay(db, await readReplay(db, id));
}

/** The newest replays. */
export async function readDescribedReplays(
  db: Database,
  page: { limit: number; beforeMs?: number | undefined },
): Promise<DescribedReplay[]> {
  const described: DescribedReplay[] = [];
  for (const replay of await readReplays(db, page)) described.push(await describeReplay(db, replay));
  return described;
}

function iso(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}
