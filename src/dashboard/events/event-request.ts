import * as v from "valibot";

import { searchParamsOf } from "../lists/list-request.ts";
import { parseQuery, plainText } from "../lists/query-parameters.ts";
import type { SearchParams } from "../lists/search-params.ts";
import type { TreeOptions } from "./payload-tree.ts";

const from = v.optional(
  v.pipe(
    v.string(),
    v.check((value) => /^\d{1,7}$/.test(value), "must be a whole number"),
    v.transform(Number),
  ),
  "0",
);

const eventPageQuery = v.object({ at: v.optional(plainText, ""), from });

/** Which part of the payload the address of an event's page asks for. Throws `REQUEST_INVALID`. */
export function parsePayloadPart(params: SearchParams): TreeOptions {
  return parseQuery(eventPageQuery, searchParamsOf(params));
}

const deliveryPageQuery = v.object({ events: v.optional(plainText, ""), attempts: from });

/** Which events and attempts the address of a delivery's page asks for. Throws `REQUEST_INVALID`. */
export function parseDeliveryPart(params: SearchParams): { events: string; attempts: number } {
  return parseQuery(deliveryPageQuery, searchParamsOf(params));
}
