import { CliFailure } from "#platform/failure.ts";

/** The result of `work`; rejects when the signal is aborted before. Leaves no listener on the signal. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const interrupt = () => reject(new CliFailure("The command was interrupted."));
    if (signal.aborted) interrupt();
    signal.addEventListener("abort", interrupt);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", interrupt));
  });
}
