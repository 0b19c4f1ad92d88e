import * as v from "valibot";

import { forwardOutcomes, runtimes } from "#platform/delivery.ts";
import { instant } from "#platform/instant.ts";

import { cursorOf, flag, oneOf, pageLimit, parseQuery, plainText } from "../lists/query-parameters.ts";

export const deliveryQuery = v.object({
  outcome: v.optional(oneOf(forwardOutcomes)),
  runtime: v.optional(oneOf(runtimes)),
  /** The code of the last failed publish attempt. */
  error: v.optional(plainText),
  region: v.optional(plainText),
  deployment: v.optional(plainText),
  ackMsMin: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,7}(\.\d{1,3})?$/, "must be a number of milliseconds"), v.transform(Number)),
  ),
  /** Probes are no traffic: they are listed alone or not at all. */
  probe: v.optional(flag),
  /** By `receivedAt`, from inclusive, to exclusive. */
  from: v.optional(instant),
  to: v.optional(instant),
  count: v.optional(flag),
  limit: pageLimit,
  cursor: v.optional(cursorOf(positionOf)),
});

/** Which deliveries to read, and how many of them at most. */
export type DeliveryFilter = v.InferOutput<typeof deliveryQuery>;

/** Reads the query of `/api/ops/deliveries`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseDeliveryFilter(params: URLSearchParams): DeliveryFilter {
  return parseQuery(deliveryQuery, params);
}

/** A place in the list, which is ordered by time and then by id. */
export interface DeliveryPosition {
  atMs: number;
  id: string;
}

function positionOf(position: string): DeliveryPosition | undefined {
  const [, atMs, id] = /^(\d{1,15}):([0-9a-f-]{36})$/.exec(position) ?? [];
  return atMs === undefined || id === undefined ? undefined : { atMs: Number(atMs), id };
}
