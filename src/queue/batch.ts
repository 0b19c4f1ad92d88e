import type { InstagramEvent } from "#instagram/events.ts";
import type { DeliveryFacts } from "#instagram/received-delivery.ts";

/** The body of one QStash message: the events of one delivery, or a part of them. */
export interface Batch {
  version: 1;
  delivery: DeliveryFacts & {
    /** Which part this is and of how many, `[0, 1]` for a delivery that fits one message. */
    chunk: readonly [index: number, count: number];
  };
  events: readonly InstagramEvent[];
}
