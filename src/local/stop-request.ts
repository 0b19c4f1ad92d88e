/** Why to stop, and how fast: signals, and servers that end by themselves. */
export interface StopRequest {
  /** Aborted at the first reason. */
  signal: AbortSignal;
  /** Aborted at a second Ctrl-C. */
  hurry: AbortSignal;
  /** What went wrong, or `null` if somebody asked. */
  failure: string | null;
  stop(failure: string | null): void;
}

/** npm passes Ctrl-C on to us although the terminal has sent it to us already; nobody presses it twice that fast. */
const twiceMs = 500;

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
  // SIGTERM also stands for npm's end, which may come after its Ctrl-C: it never hurries.
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => request.stop(null));
  return request;
}
