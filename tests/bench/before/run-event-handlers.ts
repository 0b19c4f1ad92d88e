import { type Clock, sleep } from "#platform/clock.ts";
import type { Database } from "./database.ts";
import { claimEvents, countOpenEvents, settleEvents, type StoredEvent } from "./event-leases.ts";

import { addCount, type BeforeHandler, type HandlerOutcome, runEventHandler } from "./run-event-handler.ts";

export interface RunEventHandlersOptions {
  db: Database;
  handler: BeforeHandler;
  /** The limit for one event's handler. */
  handlerTimeoutMs: number;
  clock: Clock;
}

export interface HandlersResult {
  handled: number;
  failed: number;
  /** Events whose handler did not start because the time was over, or runs in another process. */
  unfinished: number;
}

/** When it is over no further handler starts: the last one and the storing must fit into `maxDuration` of vercel.json. */
const budgetMs = 50_000;
/** Results are stored at least this often, so that after a crash few handlers run twice. */
const settleEveryMs = 250;
/**
 * A lease lasts as long as the one handler that runs under it and little longer: QStash delivers again twelve seconds
 * after a crash, and the leases of the dead process should have run out by then.
 */
const leaseMarginMs = 1_500;
/** The pauses between checks for events that another process is handling. */
const waitsMs = [50, 100, 200, 400, 800];

/**
 * Runs the handlers of those events that are not handled yet, one after another, and stores the results. Events with the
 * fewest attempts come first, then those earlier in `eventIds`, so that a few that fail slowly do not hold back the
 * others. Throws `STORE_UNAVAILABLE` if Postgres cannot be used.
 */
export async function runEventHandlers(
  eventIds: readonly number[],
  options: RunEventHandlersOptions,
): Promise<HandlersResult> {
  const { db, handlerTimeoutMs, clock } = options;
  const startedAt = clock.monotonicMs();
  const newLeaseMs = () => Math.floor(clock.nowMs()) + handlerTimeoutMs + leaseMarginMs;
  let leasedUntilMs = newLeaseMs();
  const claimed = await claimEvents(db, eventIds, { nowMs: clock.nowMs(), leaseUntilMs: leasedUntilMs });
  const position = new Map(eventIds.map((id, index) => [id, index]));
  const place = ({ id }: StoredEvent) => position.get(id) ?? 0;
  let waiting = claimed.toSorted((a, b) => a.handlerAttempts - b.handlerAttempts || place(a) - place(b));
  // A handler may have ended the process. Each attempt is then counted as it starts, so that other events precede it.
  const attemptsCounted = claimed.some(({ abandoned }) => abandoned);

  const total = { handled: 0, failed: 0 };
  let results = createResults();
  let settledAt = startedAt;
  let lost = 0;
  /** Stores the results, renews the lease unless it is null, and forgets events that another process has taken over. */
  const settle = async (leaseUntilMs: number | null, begunId: number | null = null) => {
    const remainingIds = waiting.map(({ id }) => id);
    const progress = { leasedUntilMs, leaseUntilMs, nowMs: clock.nowMs(), begunId, attemptsCounted };
    const held = await settleEvents(db, { ...results, remainingIds, ...progress });
    if (leaseUntilMs !== null) leasedUntilMs = leaseUntilMs;
    lost += waiting.length - held.size;
    waiting = waiting.filter(({ id }) => held.has(id));
    total.handled += results.handledIds.length;
    total.failed += results.failed.length;
    results = createResults();
    settledAt = clock.monotonicMs();
  };

  /** Whether the next handler could outlast the lease: after a freeze the monotonic clock may not have advanced. */
  const isLeaseShort = () => clock.nowMs() + handlerTimeoutMs > leasedUntilMs;
  while (clock.monotonicMs() - startedAt < budgetMs) {
    const [event] = waiting;
    if (event === undefined) break;
    if (attemptsCounted) await settle(newLeaseMs(), event.id);
    else if (isLeaseShort() || clock.monotonicMs() - settledAt >= settleEveryMs) await settle(newLeaseMs());
    // It may have been lost while this process stood still.
    if (waiting[0] !== event) continue;
    waiting = waiting.slice(1);
    const outcome = await runEventHandler(event, { ...options, timeoutMs: handlerTimeoutMs });
    results.add(event.id, outcome);
  }
  await settle(null);

  const notBegun = waiting.length;
  const isAllOurs = claimed.length === eventIds.length && lost === 0;
  const elsewhere = isAllOurs ? 0 : await waitForOthers(eventIds, total.failed + notBegun);
  return { ...total, unfinished: notBegun + elsewhere };

  /** How many events other processes still handle after a short wait. `own`: how many of ours are open. */
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
    add(id: number, outcome: HandlerOutcome) {
      if (!outcome.handled) {
        failed.push({ id, errorName: outcome.errorName });
        return;
      }
      handledIds.push(id);
      for (const [name, by] of outcome.counts) addCount(counts, name, by);
    },
  };
}
