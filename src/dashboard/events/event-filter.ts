import * as v from "valibot";

import { runtimes } from "#platform/delivery.ts";
import { RelayError } from "#platform/errors.ts";
import { instant } from "#platform/instant.ts";

import { cursorOf, flag, numberOf, oneOf, parseQuery, plainText } from "../lists/query-parameters.ts";

/**
 * What becomes of an event. `open`: its handler has not run to an end yet; `retrying`: it failed, and is tried again;
 * `dead`: it failed for the last time; `handled`; `erased`: its data is gone, so no handler gets it.
 */
export const eventStates = ["open", "handled", "retrying", "dead", "erased"] as const;
export type EventState = (typeof eventStates)[number];
/** What a list can be narrowed down to; `unhandled`: open or retrying. */
export const askedStates = [...eventStates, "unhandled"] as const;

/** The most events of a page in JSON. */
const pageMax = 200;

export const eventQuery = v.object({
  kind: v.optional(plainText),
  account: v.optional(plainText),
  sender: v.optional(plainText),
  /**
   * An id (of an event's key, a message or comment, a sender, an account, a delivery), which is looked up; any other text is
   * searched for in the keys, the people's ids and the data.
   */
  q: v.optional(v.pipe(v.string(), v.maxLength(300, "must have at most 300 characters"))),
  deliveryId: v.optional(plainText),
  state: v.optional(oneOf(askedStates)),
  /** The name or the code of the error for which it is retried or dead. */
  error: v.optional(plainText),
  runtime: v.optional(oneOf(runtimes)),
  test: v.optional(flag),
  standby: v.optional(flag),
  drifted: v.optional(flag),
  /** The id of a replay that has run its handler, or is about to. */
  replay: v.optional(plainText),
  /** By `ingestedAt`, from inclusive, to exclusive. Events are ordered by id, which is the order of ingestion. */
  from: v.optional(instant),
  to: v.optional(instant),
  data: v.optional(oneOf(["whole", "none"]), "whole"),
  count: v.optional(flag),
  /** `ndjson` for an export: pages may be larger. */
  format: v.optional(oneOf(["json", "ndjson"])),
  limit: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^([1-9]\d{0,2}|1000)$/, "must be a whole number from 1 to 200, or to 1000 with format=ndjson"),
      v.transform(Number),
    ),
    "50",
  ),
  cursor: v.optional(cursorOf(numberOf)),
});

/** Which events to read, and how many of them at most. */
export type EventFilter = v.InferOutput<typeof eventQuery>;

/** Reads the query of `/api/ops/events`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseEventFilter(params: URLSearchParams): EventFilter {
  const filter = parseQuery(eventQuery, params);
  if (filter.limit <= pageMax || filter.format === "ndjson") return filter;
  throw new RelayError("REQUEST_INVALID", `limit must be at most ${pageMax}, unless format is ndjson`);
}

/** The filter of a list for a viewer: with the events' data only if they have switched on what people wrote. */
export function shownData(filter: EventFilter, showsText: boolean): EventFilter {
  return { ...filter, data: showsText ? "whole" : "none" };
}
