import type { ForwardedDelivery } from "#platform/delivery.ts";

import type { InstagramEvent } from "./events.ts";

/** A verified and parsed delivery, ready to be forwarded. */
export interface ReceivedDelivery extends Omit<ForwardedDelivery, "publishStartedAtMs"> {
  events: readonly InstagramEvent[];
  /** The W3C trace context the delivery came with, to be carried along. */
  traceparent: string | null;
}
