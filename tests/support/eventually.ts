import { settleWithin, sleep, systemClock } from "#platform/clock.ts";

/** What a look may find before the state is there. */
type Nothing = false | null | undefined;

/** Each look costs time of the processor, so the pause before the next one is a tenth of the time that was waited, within bounds. */
const pauseMs = { min: 10, max: 100, ofWaited: 0.1 };
const limitMsUsual = 10_000;

/**
 * Looks again and again until there is something to find, and returns it. `false`, `null` and `undefined` are nothing yet.
 * Throws when nothing is found within `limitMs` of real time, and names the state by `what`, a sentence.
 */
export async function eventually<T>(
  what: string,
  find: () => T | Promise<T>,
  limitMs = limitMsUsual,
): Promise<Exclude<T, Nothing>> {
  const found = await findWithin(limitMs, find);
  if (found === undefined) throw new Error(`Did not come true within ${limitMs / 1_000} s: ${what}`);
  return found;
}

/** The same for measurements, where "not within the limit" is a result: `undefined`. Tests use `eventually`. */
export async function findWithin<T>(
  limitMs: number,
  find: () => T | Promise<T>,
): Promise<Exclude<T, Nothing> | undefined> {
  const startedMs = systemClock.monotonicMs();
  for (;;) {
    // Read before looking: on a busy machine, too, one look is made after the deadline.
    const waitedMs = systemClock.monotonicMs() - startedMs;
    const isLast = waitedMs >= limitMs;
    // A look that hangs finds nothing.
    const found = await settleWithin(systemClock, limitMs, Promise.resolve(find()));
    if (isSomething(found)) return found;
    if (isLast) return undefined;
    await sleep(systemClock, Math.min(Math.max(waitedMs * pauseMs.ofWaited, pauseMs.min), pauseMs.max));
  }
}

function isSomething<T>(found: T): found is Exclude<T, Nothing> {
  return found !== false && found !== null && found !== undefined;
}
