import type { Handlers } from "#handlers/handler.ts";
import { type Clock, sleep } from "#platform/clock.ts";
import type { Log } from "#platform/log.ts";
import type { Database } from "#store/database.ts";
import { claimEvents, countOpenEvents, settleEvents, type StoredEvent } from "#store/event-leases.ts";
import type { Trace } from "#tracing/trace.ts";

import { addCount, runHandler } from "./run-handler.ts";

export interface HandleBatchOptions {
  db: Database;
  handlers: Handlers;
  deliveryId: string;
  /** For one event's handler. */
  handlerTimeoutMs: number;
  clock: Clock;
  log: Log;
  trace: Trace;
}

export interface HandledBatch {
  handled: number;
  failed: number;
  /** Those that were not begun, because the time was up, or that somebody else has begun. */
  unfinished: number;
}

/** When it is over no further handler is started: a function has five minutes at most, older ones one. */
const budgetMs = 50_000;
/** What is done is noted at least this often, so that little is done twice by whoever comes after a crash. */
const settleEveryMs = 250;
/**
 * A lease outlives the one handler that runs under it and little more: QStash comes again twelve seconds after a crash,
 * and the leases of the dead should have run out by then.
 */
const leaseMarginMs = 1_500;
/** How long to wait, and wait again, for events that somebody else is handling. */
const waitsMs = [50, 100, 200, 400, 800];

/**
 * Runs the handlers of those events that are not handled yet and notes each result before long. Those with the fewest
 * attempts come first, then the order given decides, so that a few that fail slowly do not keep the others from their
 * turn. Throws `STORE_UNAVAILABLE` if Postgres cannot be used.
 */
export async function handleBatch(eventIds: readonly number[], options: HandleBatchOptions): Promise<HandledBatch> {
  const { db, handlerTimeoutMs, clock } = options;
  const startedAt = clock.monotonicMs();
  const leaseUntilMs = () => clock.nowMs() + handlerTimeoutMs + leaseMarginMs;
  const claimed = await claimEvents(db, eventIds, { nowMs: clock.nowMs(), leaseUntilMs: leaseUntilMs() });
  const position = new Map(eventIds.map((id, index) => [id, index]));
  const place = ({ id }: StoredEvent) => position.get(id) ?? 0;
  const queue = claimed.toSorted((a, b) => a.handlerAttempts - b.handlerAttempts || place(a) - place(b));
  // A handler may have ended the process: now each attempt is counted as it begins, so that the others go before it.
  const attemptsCounted = claimed.some(({ abandoned }) => abandoned);

  const total = { handled: 0, failed: 0 };
  let results = createResults();
  let settledAt = startedAt;
  const settle = async (
    remaining: readonly StoredEvent[],
    leaseUntil: number | null,
    begunId: number | null = null,
  ) => {
    const remainingIds = remaining.map(({ id }) => id);
    const nowMs = clock.nowMs();
    await settleEvents(db, { ...results, remainingIds, leaseUntilMs: leaseUntil, nowMs, begunId, attemptsCounted });
    total.handled += results.handledIds.length;
    total.failed += results.failed.length;
    results = createResults();
    settledAt = clock.monotonicMs();
  };

  let next = 0;
  for (; next < queue.length && clock.monotonicMs() - startedAt < budgetMs; next += 1) {
    const event = queue[next];
    if (event === undefined) break;
    if (attemptsCounted) await settle(queue.slice(next), leaseUntilMs(), event.id);
    else if (clock.monotonicMs() - settledAt >= settleEveryMs) await settle(queue.slice(next), leaseUntilMs());
    const outcome = await runHandler(event, { ...options, timeoutMs: handlerTimeoutMs });
    results.add(event.id, outcome);
  }
  await settle(queue.slice(next), null);

  const notBegun = queue.length - next;
  const elsewhere = queue.length === eventIds.length ? 0 : await waitForOthers(eventIds, total.failed + notBegun);
  return { ...total, unfinished: notBegun + elsewhere };

  /** How many events others have begun and not finished, after giving them a moment. `own`: ours that are open. */
  async function waitForOthers(ids: readonly number[], own: number): Promise<number> {
    for (const waitMs of waitsMs) {
      const open = (await countOpenEvents(db, ids)) - own;
      if (open <= 0) return 0;
      await sleep(clock, waitMs);
    }
    return Math.max(0, (await countOpenEvents(db, ids)) - own);
  }
}

function createResults() {
  const handledIds: number[] = [];
  const failed: { id: number; errorName: string }[] = [];
  const counts = new Map<string, number>();
  return {
    handledIds,
    failed,
    counts,
    add(id: number, outcome: Awaited<ReturnType<typeof runHandler>>) {
      if (!outcome.handled) {
        failed.push({ id, errorName: outcome.errorName });
        return;
      }
      handledIds.push(id);
      for (const [name, by] of outcome.counts) addCount(counts, name, by);
    },
  };
}
