import * as v from "valibot";

import { eventKinds, type InstagramEvent, type Json } from "#instagram/events.ts";
import { forwardedSchemas, instantSchema } from "#platform/delivery-schema.ts";
import { RelayError } from "#platform/errors.ts";

import type { Batch } from "./batch.ts";

/** An event with an impossible time is no reason to refuse its batch. */
const eventTime = v.fallback(v.nullable(instantSchema), null);
const eventsMax = 2_000;

const eventSchema: v.GenericSchema<unknown, InstagramEvent> = v.object({
  key: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,500}$/)),
  kind: v.picklist(eventKinds),
  accountId: v.string(),
  senderId: v.exactOptional(v.string()),
  recipientId: v.exactOptional(v.string()),
  occurredAtMs: eventTime,
  sentAtMs: eventTime,
  oddTime: v.exactOptional(v.fallback(v.picklist(["string", "number", "boolean", "object"]), "object")),
  standby: v.boolean(),
  test: v.boolean(),
  // Meta's own JSON: `JSON.parse` has checked that it is JSON.
  data: v.custom<Json>((value) => value !== undefined),
});

const events = v.pipe(v.array(eventSchema), v.maxLength(eventsMax));
/** Far above the number we send, and what a `smallint` column holds. */
const batchNumber = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(32_767));
const indexAndCount = v.tuple([batchNumber, v.pipe(batchNumber, v.minValue(1))]);

const batchSchema: v.GenericSchema<unknown, Batch> = v.pipe(
  v.variant("version", [
    v.object({ version: v.literal(2), delivery: v.object({ ...forwardedSchemas, batch: indexAndCount }), events }),
    // Written by older releases. A queue may deliver a message, or replay a dead letter, long after it was published.
    v.object({ version: v.literal(1), delivery: v.object({ ...forwardedSchemas, chunk: indexAndCount }), events }),
  ]),
  v.transform((read): Batch => {
    if (read.version === 2) return read;
    const { chunk, ...delivery } = read.delivery;
    return { version: 2, delivery: { ...delivery, batch: chunk }, events: read.events };
  }),
);

const newerVersion = v.object({ version: v.pipe(v.number(), v.integer(), v.minValue(3)) });

/**
 * Reads a batch of version 1 or 2 and returns it as version 2. Throws `BATCH_INVALID` naming the place, never the value,
 * at which the body departs from the format, and `BATCH_VERSION_UNKNOWN` for a newer version: a newer release published
 * it, and will read it when the queue delivers it again.
 */
export function decodeBatch(body: string): Batch {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new RelayError("BATCH_INVALID", "The body is not JSON");
  }
  const result = v.safeParse(batchSchema, json);
  if (result.success) return result.output;
  if (v.is(newerVersion, json)) {
    throw new RelayError("BATCH_VERSION_UNKNOWN", `The batch has version ${json.version}; this release reads 1 and 2`);
  }
  const place = v.getDotPath(result.issues[0]) ?? "the body";
  throw new RelayError("BATCH_INVALID", `The body is not a batch: see ${place}`);
}
