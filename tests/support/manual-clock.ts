import { type Clock, sleep, systemClock } from "#platform/clock.ts";

export interface ManualClock extends Clock {
  /** Lets `ms` pass: due timers run in order, each at its own time, with a few turns of the event loop before each. */
  advance(ms: number): Promise<void>;
  /** How many timers are set. */
  timersLeft(): number;
}

interface Timer {
  atMs: number;
  callback: () => void;
}

/**
 * A clock that stands still until it is advanced. What a timer starts may still be under way when `advance` resolves,
 * so tests wait for the state they want to see.
 */
export function createManualClock(startMs = Date.now()): ManualClock {
  let nowMs = startMs;
  // In insertion order, which decides between timers of the same time.
  const timers = new Set<Timer>();

  const earliest = (limitMs: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) {
      if (timer.atMs <= limitMs && (first === undefined || timer.atMs < first.atMs)) first = timer;
    }
    return first;
  };

  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    after(delayMs, callback) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), callback };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    timersLeft: () => timers.size,
    async advance(ms) {
      const endMs = nowMs + ms;
      await takeTurns();
      for (let timer = earliest(endMs); timer !== undefined; timer = earliest(endMs)) {
        timers.delete(timer);
        nowMs = timer.atMs;
        timer.callback();
        await takeTurns();
      }
      nowMs = endMs;
    },
  };
}

const settleLimitMs = 15_000;
/** Manual time in `advanceUntilSettled` by real time, at most: a time limit of three seconds leaves local servers 150 ms. */
const timesFaster = 20;

/**
 * Lets time pass in steps until the promise settles, for work that needs both the clock and the network. Throws if it
 * does not settle within fifteen real seconds; the promise's own rejection is left to its caller.
 */
export async function advanceUntilSettled(
  clock: ManualClock,
  promise: Promise<unknown>,
  stepMs: number,
): Promise<void> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  void promise.then(settle, settle);
  const deadlineMs = systemClock.monotonicMs() + settleLimitMs;
  while (!isSettled) {
    if (systemClock.monotonicMs() >= deadlineMs) {
      throw new Error(`Has not settled after ${clock.monotonicMs()} ms of the manual clock`);
    }
    await sleep(systemClock, stepMs / timesFaster);
    await clock.advance(stepMs);
  }
}

const turns = 5;

/**
 * A few turns of the event loop, in which promises and ready I/O go on. That is no wait: which state they reach is
 * not certain, so a test that needs one waits for it with `eventually`.
 */
async function takeTurns(): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await sleep(systemClock, 0);
}
