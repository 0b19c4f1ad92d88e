import type { Database } from "#store/connection/database.ts";
import type { ReplayPreview } from "#store/replays/replay-preview.ts";
import { readProgress } from "#store/replays/replay-progress.ts";
import { readReplay, readReplays, type Replay, type ReplayListOptions } from "#store/replays/replays.ts";

/** What a replay would take and cost, as it was counted when it was planned. */
export interface ReplayPlan extends ReplayPreview {
  qstashMessages: number;
  estimatedMs: number;
  /** It must be started before. */
  expiresAt: string;
  /** Whether the filter's end is the plan's own moment, because the operator gave none. */
  endsWithPlan: boolean;
  /** Sentences for a person. */
  warnings: string[];
}

/** A replay as the API shows it, with the members of its plan. Times are ISO 8601. */
export interface DescribedReplay extends Record<string, unknown>, ReplayPlan {
  id: string;
  state: Replay["state"];
  mode: Replay["mode"];
  filter: Replay["filter"];
  reason: string;
  actor: string;
  ratePerMinute: number;
  done: number;
  failed: number;
  skipped: number;
  /** Published and not tried yet. */
  pending: number;
  stoppedBecause: string | null;
  createdAt: string;
  startedAt: string | null;
  heartbeatAt: string | null;
  finishedAt: string | null;
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
    // A plan of an earlier release has neither.
    lettersWithoutBatch: 0,
    endsWithPlan: false,
    ...(plan as unknown as Omit<ReplayPlan, "lettersWithoutBatch" | "endsWithPlan">),
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
export async function readDescribedReplays(db: Database, page: ReplayListOptions): Promise<DescribedReplay[]> {
  const described: DescribedReplay[] = [];
  for (const replay of await readReplays(db, page)) described.push(await describeReplay(db, replay));
  return described;
}

function iso(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}
