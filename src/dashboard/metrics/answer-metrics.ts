import { refuseOps } from "../access/answer-ops.ts";
import type { OpsAccess } from "../access/ops-access.ts";
import { findCaller, requireRole } from "../access/ops-guard.ts";
import { noParameters, parseQuery } from "../lists/query-parameters.ts";
import { prometheusContentType } from "./prometheus-text.ts";

export interface AnswerMetricsOptions {
  /** See `createMetricsReader`. */
  readMetrics: () => Promise<Uint8Array[]>;
  /** Begins what may go on after the answer. Never rejects. */
  afterwards: () => Promise<void>;
}

/**
 * Answers a scrape by a token of any role with the metrics, and then goes on with `afterwards`. An error is logged and
 * answered as for other operators' requests.
 */
export async function answerMetrics(
  request: Request,
  access: OpsAccess,
  { readMetrics, afterwards }: AnswerMetricsOptions,
): Promise<Response> {
  try {
    requireRole(await findCaller(request, access), "metrics");
    parseQuery(noParameters, new URL(request.url).searchParams);
    const parts = await readMetrics();
    await afterwards();
    return new Response(streamOf(parts), {
      headers: { "content-type": prometheusContentType, "cache-control": "no-store" },
    });
  } catch (thrown) {
    return refuseOps(request, access, thrown);
  }
}

/** Sent part by part: a response of megabytes in one would be copied, and compressed before its first byte is sent. */
function streamOf(parts: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      const part = parts[sent++];
      if (part === undefined) controller.close();
      else controller.enqueue(part);
    },
  });
}
