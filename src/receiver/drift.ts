/** The package's entry `drift`: whether an event's data is of its type. It contains the schemas, which the receiver does without. */
import { type Drift, findEventDrift, type Finding } from "#instagram/data/find-drift.ts";
import type { InstagramEvent as ParsedEvent } from "#instagram/events.ts";

import type { InstagramEvent } from "./instagram-event.ts";

export type { Drift, Finding };

/**
 * Compares an event with what is known of its kind: new fields, new words, and fields of another type. Only the last make it
 * `drifted`. A finding holds names and types of fields, never a value. Never throws.
 */
export function findDrift(event: InstagramEvent): Drift {
  return findEventDrift(event as ParsedEvent);
}
