/** The request to stop a start, by a signal or by a server that ended. */
export interface StopRequest {
  /** Aborted by the first request. */
  signal: AbortSignal;
  /** Aborted by a second Ctrl-C. */
  hurry: AbortSignal;
  /** What went wrong; `null` after a signal. */
  failure: string | null;
  /** Requests the stop; only the first call counts. */
  stop(failure: string | null): void;
}

/** npm forwards a Ctrl-C that the terminal has already sent to us; a person does not press it twice that fast. */
const twiceMs = 500;

/** Listens for SIGINT, SIGTERM and SIGHUP for the rest of the process. `nowMs` is any clock. */
export function listenForStop(nowMs: () => number): StopRequest {
  const stopping = new AbortController();
  const hurrying = new AbortController();
  let interruptedAtMs: number | undefined;
  const request: StopRequest = {
    signal: stopping.signal,
    hurry: hurrying.signal,
    failure: null,
    stop: (failure) => {
      if (stopping.signal.aborted) return;
      request.failure = failure;
      stopping.abort();
    },
  };
  process.on("SIGINT", () => {
    if (interruptedAtMs !== undefined && nowMs() - interruptedAtMs > twiceMs) hurrying.abort();
    interruptedAtMs ??= nowMs();
    request.stop(null);
  });
  // SIGTERM is also sent when npm has ended, which may follow a Ctrl-C: it never hurries.
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => request.stop(null));
  return request;
}
