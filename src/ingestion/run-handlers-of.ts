import { leaseEvents } from "#store/handling/lease-events.ts";

import { handleEvents } from "./ingest.ts";
import { leaseMsFor, startLease } from "./lease.ts";
import type { HandlersResult, RunHandlersOptions } from "./run-event-handlers.ts";

export interface HandlersOf {
  /** At most `eventsPerMessageMax`. */
  eventIds: readonly number[];
  /** The replay that has opened them; events that it did not open are skipped. */
  replay: string | null;
  /** The queue's message that asks for it; null without one. */
  messageId: string | null;
}

/** How many handlers succeeded, how many failed, and how many were not to run now: handled, leased, not due, or released. */
export interface HandlersOfResult {
  handled: number;
  failed: number;
  skipped: number;
}

/**
 * Runs the handlers of those events that are open, due and free, and skips the others: a message that comes twice, or days
 * late, does nothing. Throws `STORE_UNAVAILABLE` if they cannot be leased.
 */
export async function runHandlersOf(
  { eventIds, replay, messageId }: HandlersOf,
  options: RunHandlersOptions,
): Promise<HandlersOfResult> {
  const { db, handlerTimeoutMs, clock } = options;
  const lease = startLease(clock, leaseMsFor(eventIds.length, handlerTimeoutMs));
  const { leased, deathIds } = await leaseEvents(db, eventIds, { leaseMs: lease.leaseMs, replayId: replay });
  const { handled, failed }: Pick<HandlersResult, "handled" | "failed"> =
    leased.length === 0 && deathIds.length === 0
      ? { handled: 0, failed: 0 }
      : await handleEvents({ leased, lease, deathIds, replayId: replay, messageId }, options);
  return { handled, failed, skipped: eventIds.length - handled - failed };
}
