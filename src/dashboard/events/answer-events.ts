import type { Clock } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";

import { parseEventFilter } from "./event-filter.ts";
import { bareCursor, continuesExport, type ExportCursorOptions, signExportCursor } from "./export-cursor.ts";
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

export interface AnswerEventsOptions extends Pick<ExportCursorOptions, "readSecrets"> {
  db: Database;
  clock: Clock;
}

/** Answers `/api/ops/events`: one page as JSON, or as NDJSON if the query asks for it. Throws `REQUEST_INVALID`. */
export async function answerEvents(
  query: URLSearchParams,
  { db, clock, readSecrets }: AnswerEventsOptions,
): Promise<EventPage | Response> {
  const isExport = query.get("format") === "ndjson";
  const cursor = query.get("cursor");
  const asked = new URLSearchParams(query);
  if (isExport && cursor !== null) asked.set("cursor", bareCursor(cursor));
  const page = await readEvents(db, parseEventFilter(asked), clock);
  if (!isExport) return page;
  const next = page.nextCursor;
  const nextCursor = next === null ? null : await signExportCursor(next, query, { readSecrets, nowMs: clock.nowMs() });
  return eventLines({ ...page, nextCursor });
}

type Answer<Context> = (request: Request, context: Context) => Promise<Response>;

/** Takes what begins an export to `begin`, which leaves a row in the audit; the pages after it belong to it. */
export function splitExports<Context>(
  read: Answer<Context>,
  begin: Answer<Context>,
  { readSecrets, clock }: Pick<AnswerEventsOptions, "readSecrets" | "clock">,
): Answer<Context> {
  return async (request, context) => {
    const begins = await beginsExport(request, { readSecrets, nowMs: clock.nowMs() });
    return (begins ? begin : read)(request, context);
  };
}

/** Whether a request is for an export, and not for a page after one that has its row: any other cursor begins one. */
export async function beginsExport({ url }: Request, options: ExportCursorOptions): Promise<boolean> {
  const { searchParams } = new URL(url);
  return searchParams.get("format") === "ndjson" && !(await continuesExport(searchParams, options));
}
