/** Waits that Ctrl-C ends. Each takes its listener off the signal again: a command that follows makes thousands of them. */
import type { Clock } from "#platform/clock.ts";
import { CliFailure } from "#platform/failure.ts";

/** Resolves after `delayMs`, or when the signal is aborted. */
export function pauseFor(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
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

/** The result of `work`; rejects when the signal is aborted before. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const interrupt = () => reject(new CliFailure("The command was interrupted."));
    if (signal.aborted) interrupt();
    signal.addEventListener("abort", interrupt);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", interrupt));
  });
}
