import type { Clock } from "#platform/clock.ts";

/**
 * Resolves after `delayMs`, or when the signal is aborted. It takes its listener off again: a signal that lives as long as
 * the process would collect them, and Node warns from the eleventh on.
 */
export function pauseFor(clock: Pick<Clock, "after">, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = clock.after(delayMs, end);
    signal.addEventListener("abort", end);
  });
}
