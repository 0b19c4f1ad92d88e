import { type Clock, settleWithin } from "#platform/clock.ts";

import type { Strategy } from "./experiment.ts";

/** What the runtimes have, or have not: then the call throws. The types of either are not those of both. */
export interface Schedulers {
  setImmediate: (begin: () => void) => unknown;
  nextTick: (begin: () => void) => unknown;
  setTimeout: (begin: () => void) => unknown;
  after: (work: () => Promise<void>) => unknown;
  waitUntil: (work: Promise<void>) => unknown;
}

/** How long the fix that was made first waited at most. */
const raceLimitMs = 3_000;

export interface BeginOptions {
  schedulers: Schedulers;
  clock: Clock;
}

/**
 * Begins `work` in the given way and resolves when the response may leave. Throws where the runtime has no such thing.
 * `work` must never reject.
 */
export async function beginWork(
  strategy: Strategy,
  work: () => Promise<void>,
  { schedulers, clock }: BeginOptions,
): Promise<void> {
  const begin = () => void work();
  switch (strategy) {
    case "setImmediate":
      schedulers.setImmediate(begin);
      return;
    case "process.nextTick":
      schedulers.nextTick(begin);
      return;
    case "setTimeout":
      schedulers.setTimeout(begin);
      return;
    case "floating promise":
      begin();
      return;
    case "await, 3 s race":
    case "await, 3 s race, slow work":
      await settleWithin(clock, raceLimitMs, work());
      return;
    case "after()":
      schedulers.after(work);
      return;
    case "waitUntil": {
      // Begun once it is taken: a runtime that throws has not begun it either.
      let start = () => {};
      schedulers.waitUntil(new Promise<void>((resolve) => (start = () => resolve(work()))));
      start();
    }
  }
}
