import * as v from "valibot";

import { type DeliveryFacts, deliveryIdPattern, type ForwardedDelivery, runtimes } from "./delivery.ts";

/** A wall-clock time in whole milliseconds since the epoch, within what `Date` can hold. */
export const instantSchema = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15));

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** The schemas of a delivery's facts, for `v.object`. Apart from the type, so that the webhook's bundle holds no schema. */
export const deliverySchemas = {
  id: v.pipe(v.string(), v.regex(deliveryIdPattern)),
  runtime: v.picklist(runtimes),
  region: v.nullable(v.string()),
  // Null in what an older release sent.
  deployment: v.optional(v.nullable(v.string()), null),
  coldStart: v.boolean(),
  receivedAtMs: instantSchema,
  bodyBytes: count,
  secretIndex: count,
  probe: v.boolean(),
} satisfies { [Name in keyof DeliveryFacts]: v.GenericSchema<unknown, DeliveryFacts[Name]> };

/** A time in milliseconds on a monotonic clock, within what a column holds. */
export const durationSchema = v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15));

/** The schemas of a delivery's facts as its batches carry them. */
export const forwardedSchemas = {
  ...deliverySchemas,
  ackMs: v.optional(v.nullable(durationSchema), null),
  publishStartedAtMs: v.optional(v.nullable(instantSchema), null),
} satisfies { [Name in keyof ForwardedDelivery]: v.GenericSchema<unknown, ForwardedDelivery[Name]> };
