import { type WindowName, windowNames } from "#measurements/runtime-comparison.ts";

import { type EventFilter, parseEventFilter } from "./read-events.ts";

export interface OverviewQuery {
  window: WindowName;
  q: string;
  filter: EventFilter;
  /** Whether the events are not the newest page. */
  older: boolean;
}

type SearchParams = Record<string, string | string[] | undefined>;

/** Reads the overview's address leniently: a page shows what it can, where the API would answer 400. */
export function overviewQuery(params: SearchParams): OverviewQuery {
  const text = (name: string) => [params[name]].flat()[0] ?? "";
  const window = text("window");
  const q = text("q").slice(0, 300);
  const cursor = text("cursor");
  return {
    window: windowNames.find((name) => name === window) ?? "1h",
    q,
    ...eventsPage({ q, limit: "20" }, cursor),
  };
}

/** The page of events after the cursor; the newest if the cursor is not one of ours. */
export function eventsPage(filter: Record<string, string>, cursor: string): { filter: EventFilter; older: boolean } {
  const newest = parseEventFilter(new URLSearchParams(filter));
  try {
    const page = parseEventFilter(new URLSearchParams({ ...filter, cursor }));
    return { filter: page, older: page.cursor !== undefined };
  } catch {
    return { filter: newest, older: false };
  }
}
