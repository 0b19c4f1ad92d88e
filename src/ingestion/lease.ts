import type { Clock } from "#platform/clock.ts";

const budgetMsMax = 50_000;
/** Of a whole run. With the wait for a place, the storing before and after it must fit into `maxDuration` of vercel.json. */
const runMsMax = 70_000;

/** When it is over no further handler of a run begins: the last one must end within the run's limit, too. */
export function budgetMsFor(handlerTimeoutMs: number): number {
  return Math.min(budgetMsMax, runMsMax - handlerTimeoutMs);
}

/** For the round trips before the handlers begin and after they end. */
const leaseMarginMs = 1_500;

/**
 * How long a lease on so many events lasts: as long as their handlers may take one after another, which they do if all
 * belong to one conversation, but not beyond the budget. It is never renewed; after a crash the events are free again when
 * it is over, and maintenance looks for them no sooner.
 */
export function leaseMsFor(events: number, handlerTimeoutMs: number): number {
  return (
    Math.min(budgetMsFor(handlerTimeoutMs) + handlerTimeoutMs, Math.max(1, events) * handlerTimeoutMs) + leaseMarginMs
  );
}

/** A lease as its process sees it. */
export interface Lease {
  leaseMs: number;
  /** Whether it surely lasts for so long. */
  lasts(ms: number): boolean;
}

/**
 * Call it before the statement that takes the lease, so that the lease ends no earlier than it seems here. After a freeze
 * of the process the monotonic clock may not have advanced, so the wall clock is compared too.
 */
export function startLease(clock: Clock, leaseMs: number): Lease {
  const monotonicMs = clock.monotonicMs();
  const nowMs = clock.nowMs();
  return {
    leaseMs,
    lasts: (ms) => clock.monotonicMs() - monotonicMs + ms <= leaseMs && clock.nowMs() - nowMs + ms <= leaseMs,
  };
}
