import type { EventPage } from "./read-events.ts";

/** https://github.com/ndjson/ndjson-spec */
const contentType = "application/x-ndjson; charset=utf-8";

/**
 * One page of events as NDJSON, a line for each. The header `x-next-cursor` says where the next page begins; it is absent
 * after the last. Sent as a stream, so that an event that is larger than a platform's limit for responses goes through.
 * https://vercel.com/docs/functions/limitations#request-body-size
 */
export function eventLines({ events, nextCursor }: EventPage): Response {
  const encoder = new TextEncoder();
  const left = events.values();
  const lines = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { value, done } = left.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
    },
  });
  const headers = { "content-type": contentType, "cache-control": "no-store" };
  return new Response(lines, { headers: nextCursor === null ? headers : { ...headers, "x-next-cursor": nextCursor } });
}

/** Whether a request begins an export: its first page leaves a row in the audit, the pages that follow belong to it. */
export function beginsExport({ url }: Request): boolean {
  const { searchParams } = new URL(url);
  return searchParams.get("format") === "ndjson" && (searchParams.get("cursor") ?? "") === "";
}
