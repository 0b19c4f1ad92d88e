import * as v from "valibot";

import { eventKinds, type Json } from "#instagram/events.ts";
import { RelayError } from "#platform/errors.ts";

import type { Batch } from "./batch.ts";

const milliseconds = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15));
/** Of an event: one that cannot be is no reason to refuse its batch. */
const eventTime = v.fallback(v.nullable(milliseconds), null);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** Far above what we send, and what the columns and one statement can hold. */
const chunkNumber = v.pipe(count, v.maxValue(32_767));
const eventsMax = 2_000;
const key = v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,500}$/));

const eventSchema = v.object({
  key,
  kind: v.picklist(eventKinds),
  accountId: v.string(),
  senderId: v.optional(v.string()),
  recipientId: v.optional(v.string()),
  occurredAtMs: eventTime,
  sentAtMs: eventTime,
  oddTime: v.optional(v.fallback(v.picklist(["string", "number", "boolean", "object"]), "object")),
  standby: v.boolean(),
  test: v.boolean(),
  // Whatever Meta sent: JSON.parse has seen to it that it is JSON.
  data: v.custom<Json>((value) => value !== undefined),
});

const batchSchema = v.object({
  version: v.literal(1),
  delivery: v.object({
    id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,100}$/)),
    runtime: v.picklist(["edge", "nodejs"]),
    region: v.nullable(v.string()),
    coldStart: v.boolean(),
    receivedAtMs: milliseconds,
    bodyBytes: count,
    secretIndex: count,
    probe: v.boolean(),
    chunk: v.tuple([chunkNumber, v.pipe(chunkNumber, v.minValue(1))]),
  }),
  events: v.pipe(v.array(eventSchema), v.maxLength(eventsMax)),
});

/** Our wire format, read back. Throws `BATCH_INVALID` naming the place, never the value, at which a body departs from it. */
export function decodeBatch(body: string): Batch {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new RelayError("BATCH_INVALID", "The body is not JSON");
  }
  const result = v.safeParse(batchSchema, json);
  if (!result.success) {
    const place = v.getDotPath(result.issues[0]) ?? "the body";
    throw new RelayError("BATCH_INVALID", `The body is not a batch of version 1: see ${place}`);
  }
  return result.output as Batch;
}
