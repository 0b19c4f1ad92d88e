import { type Clock, sleep } from "#platform/clock.ts";

const pollMs = 20;

/** Polls until the condition holds (`true`) or `limitMs` have passed (`false`). Rejects if the condition rejects. */
export async function until(clock: Clock, limitMs: number, holds: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + limitMs;
  for (;;) {
    if (await holds()) return true;
    if (clock.monotonicMs() >= deadlineMs) return false;
    await sleep(clock, pollMs);
  }
}
