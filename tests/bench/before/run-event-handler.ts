import { type Clock, settleWithin } from "#platform/clock.ts";

import type { StoredEvent } from "./event-leases.ts";

export interface BeforeContext {
  attempt: number;
  signal: AbortSignal;
  count: (name: string, by?: number) => void;
}

export type BeforeHandler = (event: { kind: string; data: unknown }, context: BeforeContext) => Promise<void> | void;

/** The result of one attempt: what to count, or the name of the error. */
export type HandlerOutcome =
  | { handled: true; counts: ReadonlyMap<string, number> }
  | { handled: false; errorName: string };

/** Calls the handler for an event, with a time limit. Never rejects: an error of the handler becomes the outcome. */
export async function runEventHandler(
  stored: StoredEvent,
  { handler, timeoutMs, clock }: { handler: BeforeHandler; timeoutMs: number; clock: Clock },
): Promise<HandlerOutcome> {
  const counts = new Map<string, number>();
  const abort = new AbortController();
  const context: BeforeContext = {
    attempt: stored.handlerAttempts + 1,
    signal: abort.signal,
    count: (name, by = 1) => addCount(counts, name, by),
  };
  try {
    const event = { ...stored, data: JSON.parse(stored.data) as unknown };
    const ended = (async () => {
      await handler(event, context);
      return true;
    })();
    if ((await settleWithin(clock, timeoutMs, ended)) === undefined) {
      abort.abort();
      return { handled: false, errorName: "HandlerTimeout" };
    }
    return { handled: true, counts };
  } catch (thrown) {
    return { handled: false, errorName: thrown instanceof Error ? thrown.name : typeof thrown };
  }
}

/** Adds to a counter, which stays within the safe integers. */
export function addCount(counts: Map<string, number>, name: string, by: number): void {
  const sum = (counts.get(name) ?? 0) + by;
  counts.set(name, Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, sum)));
}
