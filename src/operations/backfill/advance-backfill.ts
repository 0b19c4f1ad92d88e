import { RelayError } from "#platform/errors.ts";
import { describeCause } from "#platform/log.ts";
import type { Backfill } from "#store/replays/backfill-row.ts";
import {
  endBackfill,
  readLeftBackfills,
  releaseBackfill,
  saveBackfill,
  takeBackfill,
} from "#store/replays/backfills.ts";

import { type BackfillMessage, publishBackfillStep } from "./backfill-step.ts";
import { type Backfilling, leaseMs } from "./backfilling.ts";
import { GraphFailure } from "./graph-failure.ts";
import { pauseAfter, strikesAfter } from "./pause-after.ts";
import { readAccounts, type ReadOfBackfill } from "./read-accounts.ts";

export interface AdvanceOptions {
  /** The lease of the step before, from its message; null for who finds a backfill that nothing advances. */
  after: string | null;
  /** No page is begun later, by the monotonic clock. */
  deadlineMs: number;
}

/**
 * One step of a running backfill: reads and ingests page by page until its time is over, then has QStash call for the next
 * step. Does nothing if another process has it, or it is not due. Whatever else goes wrong is recorded: one backfill
 * must not keep others from their steps. Throws `STORE_UNAVAILABLE`; then maintenance goes on.
 */
export async function advanceBackfill(
  id: string,
  { after, deadlineMs }: AdvanceOptions,
  backfilling: Backfilling,
): Promise<{ backfill: string; advanced: boolean }> {
  const { db, newId } = backfilling;
  const taken = await takeBackfill(db, id, { leaseId: newId(), leaseMs, after });
  if (taken === undefined) return { backfill: id, advanced: false };
  const progress = { strikes: taken.strikes };
  try {
    const reached = await readAll(taken, deadlineMs, progress, backfilling);
    if (reached === "lost") return { backfill: id, advanced: true };
    if (reached === "end") await finish(taken, backfilling);
    else await goOnAfter(taken, { delayMs: reached.restMs, strikes: progress.strikes }, backfilling);
  } catch (thrown) {
    if (thrown instanceof GraphFailure) await handleFailure(taken, thrown, progress.strikes, backfilling);
    else if (thrown instanceof RelayError && thrown.code === "STORE_UNAVAILABLE") throw thrown;
    else await stop(taken, new Error("The relay failed; its log says how", { cause: thrown }), {}, backfilling);
  }
  return { backfill: id, advanced: true };
}

/** With the last page, and the handlers that go on after the answer, it must fit into `maxDuration` of vercel.json. */
const stepMs = 20_000;

/** The step that a message asks for. Throws `STORE_UNAVAILABLE`. */
export function advanceByMessage({ backfill, after }: BackfillMessage, backfilling: Backfilling) {
  const deadlineMs = backfilling.clock.monotonicMs() + stepMs;
  return advanceBackfill(backfill, { after, deadlineMs }, backfilling);
}

/** Advances those that nothing advances, one after another. Throws `STORE_UNAVAILABLE`. */
export async function resumeBackfills(backfilling: Backfilling, deadlineMs: number): Promise<{ resumed: number }> {
  const left = await readLeftBackfills(backfilling.db);
  let resumed = 0;
  for (const { id } of left) {
    if (backfilling.clock.monotonicMs() >= deadlineMs) break;
    const { advanced } = await advanceBackfill(id, { after: null, deadlineMs }, backfilling);
    resumed += advanced ? 1 : 0;
  }
  return { resumed };
}

type Reached = "end" | "lost" | { restMs: number };

/** Where the step ends; `lost`: another process has the lease, or the backfill was cancelled. */
async function readAll(
  backfill: Backfill,
  deadlineMs: number,
  progress: { strikes: number },
  backfilling: Backfilling,
): Promise<Reached> {
  const { db, clock } = backfilling;
  const pages = readAccounts(backfill as unknown as ReadOfBackfill, backfilling);
  for await (const { position, counts, restMs } of pages) {
    if (!(await saveBackfill(db, backfill, { position, counts: { ...counts }, leaseMs }))) return "lost";
    progress.strikes = 0;
    if (restMs > 0 || clock.monotonicMs() >= deadlineMs) return { restMs };
  }
  return "end";
}

async function finish({ id, leaseId }: Backfill, { db, log }: Backfilling): Promise<void> {
  const ended = await endBackfill(db, id, { state: "finished", because: null, leaseId });
  if (ended !== undefined) log.info("backfill.finished", { backfillId: id, ...ended.counts });
}

async function goOnAfter(
  backfill: Backfill,
  next: { delayMs: number; strikes: number },
  backfilling: Backfilling,
): Promise<void> {
  const released = await releaseBackfill(backfilling.db, backfill, next);
  if (released === undefined) return;
  if (next.delayMs > 0) backfilling.log.info("backfill.waiting", { backfillId: backfill.id, waitMs: next.delayMs });
  await publishBackfillStep(released, next.delayMs, backfilling);
}

/** Waits where the same request may succeed later, and stops where a person must do something. */
async function handleFailure(
  backfill: Backfill,
  failure: GraphFailure,
  strikes: number,
  backfilling: Backfilling,
): Promise<void> {
  const { fault, message: reason, cause } = failure;
  const delayMs = pauseAfter(failure, strikes);
  if (delayMs === null) return stop(backfill, failure, { fault }, backfilling);
  const next = { delayMs, strikes: strikesAfter(failure, strikes) };
  const facts = { backfillId: backfill.id, fault, reason, ...describeCause(cause), strikes: next.strikes };
  backfilling.log.warn("backfill.failed", facts);
  await goOnAfter(backfill, next, backfilling);
}

async function stop(
  { id, leaseId }: Backfill,
  { message: reason, cause }: Error,
  facts: { fault?: string },
  { db, log }: Backfilling,
): Promise<void> {
  const stopped = await endBackfill(db, id, { state: "stopped", because: reason, leaseId });
  if (stopped !== undefined)
    log.error("backfill.stopped", { backfillId: id, ...facts, reason, ...describeCause(cause) });
}
