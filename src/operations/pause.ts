import * as v from "valibot";

import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import type { QueuePause } from "#queue/queue-pause.ts";
import type { Database } from "#store/connection/database.ts";
import { readParts, recordPart } from "#store/operators/maintenance-parts.ts";

export interface Pause {
  paused: boolean;
  /** When it was first known to be paused. */
  since: string | null;
  /** Batches that wait at the queue, for the pause or for their turn; null if it does not say. */
  waiting: number | null;
  /** Whether batches can be held back; and if not, why and what to do. */
  pausable: boolean;
  obstacle: string | null;
}

export interface PauseOptions {
  db: Database;
  /** The queue's. */
  queue: QueuePause;
  nowMs: number;
  log: Log;
}

const recorded = v.object({ since: v.nullable(v.string()) });

/**
 * Whether the queue holds back the batches, and how many wait. The queue does not say since when, so what maintenance or the
 * pause itself recorded counts. Throws `NOT_PAUSABLE` if the queue has no pause, `QSTASH_UNAVAILABLE` and `STORE_UNAVAILABLE`.
 */
export async function readPause({ db, queue, nowMs }: PauseOptions): Promise<Pause> {
  const { paused, waiting } = await queue.read();
  const part = (await readParts(db)).find(({ name }) => name === "pause");
  const before = v.is(recorded, part?.result) ? part.result.since : null;
  const since = paused ? (before ?? new Date(nowMs).toISOString()) : null;
  return { paused, since, waiting, pausable: queue.obstacle === null, obstacle: queue.obstacle };
}

/**
 * Pauses ingestion at the queue, or resumes it. Deliveries are acknowledged as before, and their batches wait at the queue.
 * The handlers of what is stored go on. Throws `NOT_PAUSABLE` if batches cannot be held back, and what `readPause` throws;
 * the queue may have done it all the same.
 */
export async function changePause(paused: boolean, options: PauseOptions): Promise<Pause> {
  const { db, queue, log } = options;
  if (queue.obstacle !== null && paused) throw new RelayError("NOT_PAUSABLE", queue.obstacle);
  await orInDoubt(() => queue.change(paused));
  const state = await readPause(options);
  await recordPart(db, "pause", state);
  log.warn(paused ? "ingestion.paused" : "ingestion.resumed", { waiting: state.waiting });
  return state;
}

/** A request that was not answered may still be carried out, and a pause that the operator does not know of delays every delivery. */
async function orInDoubt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    if (!(thrown instanceof RelayError) || thrown.cause === undefined) throw thrown;
    throw new RelayError(thrown.code, `${thrown.message}, and may still do it: ask with relay pause --status`, {
      cause: thrown.cause,
    });
  }
}
