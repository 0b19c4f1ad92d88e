import type { HandlerResult, LeasedEvent } from "#store/handling/leased-event.ts";

import { failureOf } from "./describe-handler-error.ts";
import { retryDelayMs } from "./retry-delay.ts";
import type { HandlerOutcome } from "./run-event-handler.ts";

export interface ResultMakerOptions {
  /** Attempts after the first. */
  retries: number;
  random: () => number;
  /** How long a published message may be under way before another one is published. */
  queuedGraceMs: number;
}

/**
 * Makes results of one run. Equal attempts of one run get the same delay, so that one message serves them all; runs
 * differ by chance.
 */
export function createResultMaker({ retries, random, queuedGraceMs }: ResultMakerOptions) {
  const delays = new Map<number, number>();
  const delayOf = (attempt: number) => {
    const delayMs = delays.get(attempt) ?? retryDelayMs(attempt, random);
    delays.set(attempt, delayMs);
    return delayMs;
  };
  const waitFor = (retryInMs: number) => ({ retryInMs, queuedForMs: retryInMs + queuedGraceMs });

  return {
    /** Of a handler that ended. */
    ended(event: LeasedEvent, outcome: HandlerOutcome, time: { atMs: number; ms: number }): HandlerResult {
      if (outcome.handled) return { event, ...time, outcome: "handled" };
      const { retryable, retryAfterMs, ...error } = outcome.failure;
      if (!retryable || event.attempt > retries) return { event, ...time, outcome: "dead", error };
      return { event, ...time, outcome: "failed", error, ...waitFor(retryAfterMs ?? delayOf(event.attempt)) };
    },
    /** Of an event whose handler did not begin. */
    released: (event: LeasedEvent, atMs: number, retryInMs: number): HandlerResult => {
      return { event, atMs, ms: 0, outcome: "released", ...waitFor(retryInMs) };
    },
    /** Of an event whose handler has ended its process too often. It is not called again, so the lease is no attempt. */
    deadly(leased: LeasedEvent, atMs: number): HandlerResult {
      const { retryable: _retryable, retryAfterMs: _after, ...error } = failureOf("HandlerEndedProcess", leased.kind);
      return { event: { ...leased, attempt: leased.attempt - 1 }, atMs, ms: 0, outcome: "dead", error };
    },
  };
}
