import type { EventData } from "#instagram/data/event-data.ts";
import type { EventKind, InstagramEvent as ParsedEvent } from "#instagram/events.ts";

/** The facts about an event of any kind. */
export interface EventFacts extends Omit<ParsedEvent, "kind" | "data"> {}

/**
 * One thing that happened on Instagram. `kind` says which type `data` has. The types describe what Meta documents and what
 * was seen, and nothing is validated: `findDrift` of the entry `drift` says whether an event's data is of its type.
 */
export type InstagramEvent<Kind extends EventKind = EventKind> = {
  [K in Kind]: EventFacts & {
    kind: K;
    /** The item as Meta sent it, unknown fields included; an integer beyond ±(2^53−1) is a string of the same digits. */
    data: EventData[K];
  };
}[Kind];
