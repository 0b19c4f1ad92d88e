import { type WindowName, windowNames } from "#measurements/runtime-comparison.ts";

import type { EventFilter } from "./event-filter.ts";
import { numberOf, parseCursor } from "./query-parameters.ts";

/** A page's search parameters as Next passes them. */
export type SearchParams = Record<string, string | string[] | undefined>;

/** What the overview's address asks for. */
export interface OverviewQuery {
  window: WindowName;
  /** The text to search events for; empty for all events. */
  q: string;
  filter: EventFilter;
  /** Whether the page of events is not the newest one. */
  older: boolean;
}

/** Reads the overview's address leniently: where `/api/ops` would answer 400, a page ignores the parameter. */
export function overviewQuery(params: SearchParams): OverviewQuery {
  const window = first(params, "window");
  const q = first(params, "q").slice(0, 300);
  const cursor = eventCursor(params);
  return {
    window: windowNames.find((name) => name === window) ?? "1h",
    q,
    filter: { limit: 20, q: q === "" ? undefined : q, cursor, data: "none" },
    older: cursor !== undefined,
  };
}

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
