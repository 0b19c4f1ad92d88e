import * as v from "valibot";

import { RelayError } from "#platform/errors.ts";

/** The body of a message to the route `handlers`: events whose handlers are to run. */
export interface HandlersMessage {
  /** At most `eventsPerMessageMax`. */
  eventIds: readonly number[];
  /** The replay that they belong to; null if none. */
  replay: string | null;
}

/** As many as one batch holds. */
export const eventsPerMessageMax = 200;

const messageSchema = v.object({
  version: v.literal(1),
  eventIds: v.pipe(
    v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
    v.minLength(1),
    v.maxLength(eventsPerMessageMax),
  ),
  replay: v.nullable(v.pipe(v.string(), v.regex(/^[\w-]{1,100}$/))),
});
const newerVersion = v.object({ version: v.pipe(v.number(), v.integer(), v.minValue(2)) });

export function encodeHandlersMessage({ eventIds, replay }: HandlersMessage): string {
  return JSON.stringify({ version: 1, eventIds, replay });
}

/**
 * Throws `BATCH_INVALID` naming the place, never the value, at which the body departs from the format, and
 * `BATCH_VERSION_UNKNOWN` for a newer version, which a newer release will read when the queue delivers it again.
 */
export function decodeHandlersMessage(body: string): HandlersMessage {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new RelayError("BATCH_INVALID", "The body is not JSON");
  }
  const result = v.safeParse(messageSchema, json);
  if (result.success) return { eventIds: [...new Set(result.output.eventIds)], replay: result.output.replay };
  if (v.is(newerVersion, json)) {
    throw new RelayError("BATCH_VERSION_UNKNOWN", `The message has version ${json.version}; this release reads 1`);
  }
  const place = v.getDotPath(result.issues[0]) ?? "the body";
  throw new RelayError("BATCH_INVALID", `The message is not valid at ${place}`);
}
