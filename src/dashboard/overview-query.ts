import type { EventFilter } from "./event-filter.ts";
import { numberOf, parseCursor } from "./query-parameters.ts";

/** A page's search parameters as Next passes them. */
export type SearchParams = Record<string, string | string[] | undefined>;

/** The page of a delivery's events that its address asks for. */
export function deliveryEvents(deliveryId: string, params: SearchParams): EventFilter {
  return { limit: 50, deliveryId, cursor: eventCursor(params), data: "whole" };
}

/** The first value of a search parameter. Empty if it is absent: a form sends its empty fields too. */
export function first(params: SearchParams, name: string): string {
  return [params[name]].flat()[0] ?? "";
}

/** Undefined, which means the newest page, for a cursor that `readEvents` never gave out. */
function eventCursor(params: SearchParams): number | undefined {
  return parseCursor(first(params, "cursor"), numberOf);
}
