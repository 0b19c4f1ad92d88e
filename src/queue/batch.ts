import type { InstagramEvent } from "#instagram/events.ts";
import type { ForwardedDelivery } from "#platform/delivery.ts";

/** The body of one message of the queue: some events of one delivery. A small delivery is one batch. */
export interface Batch {
  version: 2;
  delivery: ForwardedDelivery & {
    /** Which batch of the delivery this is, from 0, and how many there are. */
    batch: readonly [index: number, count: number];
  };
  events: readonly InstagramEvent[];
}
