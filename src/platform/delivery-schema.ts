import * as v from "valibot";

import { type DeliveryFacts, deliveryIdPattern, runtimes } from "./delivery.ts";

/** A wall-clock time in whole milliseconds since the epoch, within what `Date` can hold. */
export const instantSchema = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15));

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** The schemas of a delivery's facts, for `v.object`. Apart from the type, so that the webhook's bundle holds no schema. */
export const deliverySchemas = {
  id: v.pipe(v.string(), v.regex(deliveryIdPattern)),
  runtime: v.picklist(runtimes),
  region: v.nullable(v.string()),
  coldStart: v.boolean(),
  receivedAtMs: instantSchema,
  bodyBytes: count,
  secretIndex: count,
  probe: v.boolean(),
} satisfies { [Name in keyof DeliveryFacts]: v.GenericSchema<unknown, DeliveryFacts[Name]> };
