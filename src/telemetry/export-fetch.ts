import type { Clock } from "#platform/clock.ts";
import { describeCause, type Log, type LogFields } from "#platform/log.ts";

export interface ExportFetchOptions {
  fetch: typeof fetch;
  timeoutMs: number;
  clock: Clock;
  log: Log;
}

/**
 * A `fetch` that gives the requests of @vercel/otel's exporters, which mark themselves as internal, what they lack: a
 * time limit and a look at the status. Any other request passes as it is. Of failures in a row the first is logged.
 */
export function createExportFetch({ fetch, timeoutMs, clock, log }: ExportFetchOptions): typeof fetch {
  let isFailing = false;
  const failed = (fields: LogFields) => {
    if (!isFailing) log.warn("request.failed", { request: "OpenTelemetry export", ...fields });
    isFailing = true;
  };

  return async (input, init) => {
    if (!isExport(init)) return fetch(input, init);
    const abort = new AbortController();
    const cancelTimer = clock.after(timeoutMs, () => abort.abort());
    try {
      const response = await fetch(input, { ...init, signal: abort.signal });
      // Read here, within the limit: an unread body holds its connection.
      await response.arrayBuffer();
      if (response.ok) isFailing = false;
      else failed({ status: response.status });
      return new Response(null, { status: response.status });
    } catch (thrown) {
      failed({ timedOut: abort.signal.aborted, ...describeCause(thrown) });
      throw thrown;
    } finally {
      cancelTimer();
    }
  };
}

function isExport(init: RequestInit | undefined): boolean {
  return (init as { next?: { internal?: boolean } } | undefined)?.next?.internal === true;
}
