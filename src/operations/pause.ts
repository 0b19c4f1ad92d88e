import * as v from "valibot";

import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import { type QstashApi } from "#platform/qstash-api.ts";
import { askQstash } from "#queue/qstash/ask-qstash.ts";
import type { Database } from "#store/database.ts";
import { readParts, recordPart } from "#store/maintenance-parts.ts";

/** The flow-control key that every batch is published with; see qstash-publisher.ts. */
const key = "/v2/flowControl/instagram";

export interface Pause {
  paused: boolean;
  /** When it was first known to be paused. */
  since: string | null;
  /** Batches that wait at QStash, for the pause or for their turn. */
  waiting: number;
  /** Whether batches are published with the key. */
  pausable: boolean;
}

export interface PauseOptions {
  db: Database;
  api: QstashApi;
  /** INGESTION_PARALLELISM; null if it is not set: batches then have no flow-control key, because a key needs a limit. */
  parallelism: number | null;
  nowMs: number;
  log: Log;
}

const controlSchema = v.object({
  isPaused: v.fallback(v.boolean(), false),
  waitListSize: v.fallback(v.number(), 0),
});
const recorded = v.object({ since: v.nullable(v.string()) });

/**
 * Whether QStash holds back the batches, and how many wait. QStash does not say since when, so what maintenance or the pause
 * itself recorded counts. Throws `QSTASH_UNAVAILABLE` and `STORE_UNAVAILABLE`.
 */
export async function readPause({ db, api, parallelism, nowMs }: PauseOptions): Promise<Pause> {
  const { isPaused, waitListSize } = v.parse(controlSchema, (await askQstash(api, "GET", key)) ?? {});
  const part = (await readParts(db)).find(({ name }) => name === "pause");
  const before = v.is(recorded, part?.result) ? part.result.since : null;
  const since = isPaused ? (before ?? new Date(nowMs).toISOString()) : null;
  return { paused: isPaused, since, waiting: waitListSize, pausable: parallelism !== null };
}

/**
 * Pauses ingestion at QStash, or resumes it. Deliveries are acknowledged as before, and their batches wait at QStash. The
 * handlers of what is stored go on. Throws `NOT_PAUSABLE` if batches have no flow-control key, and what `readPause` throws;
 * QStash may have done it all the same.
 */
export async function changePause(paused: boolean, options: PauseOptions): Promise<Pause> {
  const { db, api, parallelism, log } = options;
  if (parallelism === null && paused) {
    throw new RelayError(
      "NOT_PAUSABLE",
      "Batches are published without a flow-control key: set INGESTION_PARALLELISM, 100 for example, and deploy",
    );
  }
  await orInDoubt(() => askQstash(api, "POST", `${key}/${paused ? "pause" : "resume"}`));
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
