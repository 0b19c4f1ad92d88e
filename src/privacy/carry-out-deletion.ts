import * as v from "valibot";

import { type Clock, sleep } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import { parseJson } from "#platform/parse-json.ts";
import type { Database } from "#store/connection/database.ts";
import {
  completeDeletion,
  readDeletion,
  saveDeletionProgress,
  type UnreachedCopy,
} from "#store/erasure/data-deletions.ts";
import { erasePersonInBackfills } from "#store/erasure/erase-backfills.ts";
import { eraseFoundEvents, eraseUnsearchableEvents } from "#store/erasure/erase-person.ts";
import { erasePersonInReplays } from "#store/erasure/erase-replays.ts";
import { readStoringTransactions } from "#store/erasure/storing-transactions.ts";

import type { ErasureApi } from "./erasure-api.ts";
import { redactLetters } from "./redact-letters.ts";
import { redactQueueLetters } from "./redact-queue-letters.ts";

export interface CarryOutOptions {
  db: Database;
  /** For QStash's dead letters. */
  api: ErasureApi;
  clock: Clock;
}

export interface CarriedOut {
  /** The confirmation code that the request got when it was first recorded. */
  code: string;
  /** How many events were erased. */
  erased: number;
  /** False if time ran out or QStash did not answer: maintenance goes on. */
  isComplete: boolean;
}

/** QStash is asked again for so long; then its copies are named as not reached. It deletes them itself by their age. */
const queuePatienceMs = 24 * 60 * 60_000;

/** Longer than a batch can take to be stored; a backup's transaction, say, lasts longer and stores nothing. */
const storingPatienceMs = 15 * 60_000;
const storingPollMs = 100;

const progressSchema = v.object({
  step: v.picklist(["events", "unsearchable", "storing", "queue", "letters"]),
  /** The step is done up to this event or letter, or to this place in QStash's list. */
  afterId: v.number(),
  cursor: v.nullable(v.string()),
  isQueueMissed: v.boolean(),
  /** Transactions that may store events without knowing of the request: after their end events are looked through once more. */
  storing: v.optional(v.array(v.string()), []),
});
type Progress = v.InferOutput<typeof progressSchema>;
const start: Progress = { step: "events", afterId: 0, cursor: null, isQueueMissed: false, storing: [] };

/**
 * Carries out a recorded request, from where it stopped and until `deadlineMs` of the monotonic clock: events, filters of
 * replays, QStash's dead letters, ours. The rows of events and the hashes of their keys stay, so that Meta's retries add no
 * new ones. A complete request does nothing when it is repeated, so a captured one cannot erase later events. Throws
 * `STORE_UNAVAILABLE`.
 */
export async function carryOutDeletion(
  options: CarryOutOptions,
  requestId: string,
  deadlineMs: number,
): Promise<CarriedOut> {
  const { db, api, clock } = options;
  const deletion = await readDeletion(db, requestId);
  if (deletion === undefined) throw new Error("The request is not recorded");
  const { userId } = deletion;
  if (userId !== null) {
    const isPatient = api !== null && clock.nowMs() < deletion.requestedAt.getTime() + queuePatienceMs;
    const from = readProgress(deletion.progress) ?? { ...start, storing: await readStoringTransactions(db) };
    const storingUntilMs = deletion.requestedAt.getTime() + storingPatienceMs;
    const ended = await runSteps({ ...options, requestId, userId, storingUntilMs, deadlineMs }, from);
    if (ended?.isQueueMissed && isPatient) await saveDeletionProgress(db, requestId, { ...start, step: "queue" });
    else if (ended) {
      const unreached: UnreachedCopy[] = ended.isQueueMissed ? ["queue-dead-letters"] : [];
      await completeDeletion(db, { requestId, userId }, unreached, clock.nowMs());
    }
  }
  const { code, erased, completedAt } = (await readDeletion(db, requestId)) ?? deletion;
  return { code, erased, isComplete: completedAt !== null };
}

function readProgress(json: string | null): Progress | null {
  const read = v.safeParse(progressSchema, json === null ? null : parseJson(json));
  return read.success ? read.output : null;
}

interface Run extends CarryOutOptions {
  requestId: string;
  userId: string;
  storingUntilMs: number;
  deadlineMs: number;
}

/** The progress at the end of the last step; null if it goes on later. */
async function runSteps(run: Run, from: Progress): Promise<Progress | null> {
  for (let progress = from; ;) {
    const next = await runStep(run, progress);
    if (next.step === "end") return progress;
    progress = { ...progress, ...next } as Progress;
    await saveDeletionProgress(run.db, run.requestId, progress);
    if (run.clock.monotonicMs() >= run.deadlineMs) return null;
  }
}

type Next = Partial<Omit<Progress, "step">> & { step?: Progress["step"] | "end" };

async function runStep(run: Run, { step, ...at }: Progress): Promise<Next> {
  const { db, requestId, userId, deadlineMs } = run;
  switch (step) {
    case "events": {
      const afterId = await eraseFoundEvents(db, { requestId, userId, afterId: at.afterId });
      return afterId === null ? { step: "unsearchable", afterId: 0 } : { afterId };
    }
    case "unsearchable": {
      const afterId = await eraseUnsearchableEvents(db, { requestId, userId, afterId: at.afterId });
      if (afterId !== null) return { afterId };
      if (at.storing.length > 0) return { step: "storing" };
      await erasePersonInReplays(db, userId);
      await erasePersonInBackfills(db, userId);
      return { step: "queue" };
    }
    case "storing": {
      const storing = await waitForStoring(run, at.storing);
      return storing.length > 0 ? { storing } : { step: "events", afterId: 0, storing };
    }
    case "queue": {
      const cursor = await runQueueStep(run, at.cursor);
      if (cursor === "unreached") return { step: "letters", afterId: 0, isQueueMissed: true };
      return cursor === null ? { step: "letters", afterId: 0 } : { cursor };
    }
    case "letters": {
      const { afterId } = await redactLetters(run, at.afterId, deadlineMs);
      return afterId === null ? { step: "end" } : { afterId };
    }
  }
}

/** Waits a moment if any of these has not ended; resolves with those that had not. */
async function waitForStoring({ db, clock, storingUntilMs }: Run, storing: readonly string[]): Promise<string[]> {
  if (clock.nowMs() >= storingUntilMs) return [];
  const underWay = await readStoringTransactions(db);
  const left = storing.filter((name) => underWay.includes(name));
  if (left.length > 0) await sleep(clock, storingPollMs);
  return left;
}

async function runQueueStep({ api, ...run }: Run, cursor: string | null): Promise<string | null> {
  if (api === null) return "unreached";
  if (api === "unused") return null;
  try {
    return (await redactQueueLetters({ ...run, api }, cursor, run.deadlineMs)).cursor;
  } catch (thrown) {
    if (thrown instanceof RelayError && thrown.code === "QSTASH_UNAVAILABLE") return "unreached";
    throw thrown;
  }
}
