import * as v from "valibot";

import { instant } from "#platform/instant.ts";

import { parseQuery } from "../lists/query-parameters.ts";

/** The lists whose changes an open page asks for. */
export const pulseLists = ["events", "deliveries", "deadLetters", "replays", "alerts", "audit"] as const;
export type PulseList = (typeof pulseLists)[number];

const idMark = v.pipe(v.string(), v.regex(/^(0|[1-9]\d{0,14})$/, "must be the id of a row, or 0"), v.transform(Number));

/** The newest row that a page shows of a list: its id, or the time that the list is ordered by. */
export const pulseQuery = v.object({
  events: v.optional(idMark),
  /** `receivedAt`. */
  deliveries: v.optional(instant),
  /** `lastAt` of the first group. */
  deadLetters: v.optional(instant),
  /** `createdAt`. */
  replays: v.optional(instant),
  /** `changedAt`. */
  alerts: v.optional(instant),
  audit: v.optional(idMark),
});

export type PulseMarks = v.InferOutput<typeof pulseQuery>;

/** Reads the query of `/api/ops/pulse`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parsePulseMarks(params: URLSearchParams): PulseMarks {
  return parseQuery(pulseQuery, params);
}
