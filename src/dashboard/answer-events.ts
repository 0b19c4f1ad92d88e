import type { Clock } from "#platform/clock.ts";
import type { Database } from "#store/database.ts";

import { parseEventFilter } from "./event-filter.ts";
import { type EventPage, readEvents } from "./read-events.ts";

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

/** Answers `/api/ops/events`: one page as JSON, or as NDJSON if the query asks for it. Throws `REQUEST_INVALID`. */
export async function answerEvents(
  query: URLSearchParams,
  { db, clock }: { db: Database; clock: Pick<Clock, "monotonicMs"> },
): Promise<EventPage | Response> {
  const filter = parseEventFilter(query);
  const page = await readEvents(db, filter, clock);
  return filter.format === "ndjson" ? eventLines(page) : page;
}

type Answer<Context> = (request: Request, context: Context) => Promise<Response>;

/** Takes the first page of an export to `begin`, which leaves a row in the audit; further pages belong to it. */
export function splitExports<Context>(read: Answer<Context>, begin: Answer<Context>): Answer<Context> {
  return (request, context) => (beginsExport(request) ? begin : read)(request, context);
}

/** Whether a request is for the first page of an export. */
export function beginsExport({ url }: Request): boolean {
  const { searchParams } = new URL(url);
  return searchParams.get("format") === "ndjson" && (searchParams.get("cursor") ?? "") === "";
}
