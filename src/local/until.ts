import { type Clock, settleWithin, sleep } from "#platform/clock.ts";

const pollMs = 20;

/**
 * Polls until the condition holds (`true`) or `limitMs` have passed (`false`) or, if a look at it hangs,
 * twice as many. Rejects if the condition rejects.
 */
export async function until(clock: Clock, limitMs: number, holds: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + limitMs;
  for (;;) {
    if (await settleWithin(clock, limitMs, Promise.resolve(holds()))) return true;
    if (clock.monotonicMs() >= deadlineMs) return false;
    await sleep(clock, pollMs);
  }
}
