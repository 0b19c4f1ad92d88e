import { fetchWithin, type Network } from "#platform/bounded-fetch.ts";
import { describeCause, type Log, type LogFields } from "#platform/log.ts";

export interface ExportFetchOptions extends Network {
  timeoutMs: number;
  log: Log;
}

/**
 * A `fetch` that adds to the requests of @vercel/otel's exporters, which are marked as internal, a time limit and a check
 * of the status. Other requests pass unchanged. Of consecutive failures the first is logged.
 */
export function createExportFetch({ timeoutMs, log, ...network }: ExportFetchOptions): typeof fetch {
  let isFailing = false;
  const failed = (fields: LogFields) => {
    if (!isFailing) log.warn("tracing.failed", fields);
    isFailing = true;
  };

  return async (input, init) => {
    if (typeof input !== "string" || !isExport(init)) return network.fetch(input, init);
    try {
      const { status } = await fetchWithin(timeoutMs, input, init, network);
      if (status >= 200 && status < 300) isFailing = false;
      else failed({ status });
      return new Response(null, { status });
    } catch (thrown) {
      failed(describeCause(thrown));
      throw thrown;
    }
  };
}

function isExport(init: RequestInit | undefined): init is RequestInit {
  return (init as { next?: { internal?: boolean } } | undefined)?.next?.internal === true;
}
