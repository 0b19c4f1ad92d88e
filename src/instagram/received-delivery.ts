import type { InstagramEvent } from "./events.ts";

export type Runtime = "edge" | "nodejs";

/** What is known of a delivery from Meta beside its events. */
export interface DeliveryFacts {
  id: string;
  runtime: Runtime;
  /** Where the function ran, as the platform calls it; null where there is no such thing. */
  region: string | null;
  /** Whether this delivery was the first of its isolate. */
  coldStart: boolean;
  receivedAtMs: number;
  bodyBytes: number;
  /** Which of the configured app secrets signed it, from 0. */
  secretIndex: number;
  /** Sent by us to measure, not by Meta. */
  probe: boolean;
}

/** A verified and parsed delivery, ready to be handed on. */
export interface ReceivedDelivery extends DeliveryFacts {
  events: readonly InstagramEvent[];
  /** The W3C trace context the delivery came with, to be carried along. */
  traceparent: string | null;
}
