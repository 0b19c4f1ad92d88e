import { type Clock, settleWithin } from "#platform/clock.ts";

import type { Strategy } from "./experiment.ts";

/** The functions that start work later. A runtime may lack some of them: then the call throws. */
export interface Schedulers {
  setImmediate: (begin: () => void) => unknown;
  nextTick: (begin: () => void) => unknown;
  setTimeout: (begin: () => void) => unknown;
  after: (work: () => Promise<void>) => unknown;
  waitUntil: (work: Promise<void>) => unknown;
}

/** The time limit of the first fix that was tried in production; see "Rows that surprise" in docs/LIFECYCLE.md. */
const raceLimitMs = 3_000;

export interface BeginOptions {
  schedulers: Schedulers;
  clock: Clock;
}

/**
 * Starts `work`, which must never reject, by the given strategy. Resolves when the response may be sent, after at most 3 s.
 * Rejects with what the runtime throws if it lacks the scheduler.
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
      // Called only after `waitUntil` has taken the promise, so that a `waitUntil` that throws leaves no work behind.
      let start = () => {};
      schedulers.waitUntil(new Promise<void>((resolve) => (start = () => resolve(work()))));
      start();
    }
  }
}
