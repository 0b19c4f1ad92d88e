/** A pair of probes: what is sent, and what was measured. Types alone, which the store is built of. */

import type { Runtime } from "#platform/delivery.ts";

/** A body with the headers that make it a genuine probe for five minutes. The same is sent to both routes. */
export interface SignedProbe {
  /** A UUID, which becomes the pair's. */
  id: string;
  body: string;
  headers: Record<string, string>;
}

/** What one of the two functions answered. */
export interface MeasuredProbe {
  /** From sending to the last byte of the answer, on a monotonic clock; null if no answer came in time. */
  ms: number | null;
  /** The handler's own part of it, by its `Server-Timing`. */
  handlerMs: number | null;
  region: string | null;
  /** Whether it was the first delivery of its isolate; null without an answer. */
  coldStart: boolean | null;
  /** Since the last request to that function that the relay knows of; null if it knows of none. */
  idleMs: number | null;
  deliveryId: string | null;
}

/** The same signed body, sent to both routes one after the other. */
export interface MeasuredPair extends Record<Runtime, MeasuredProbe> {
  id: string;
  /** A UUID; the pairs of a burst were sent together. */
  burst: string;
  /** When the first of the two was sent. */
  atMs: number;
  /** Which was sent first; it is drawn by lot. */
  first: Runtime;
  /** The build that answered; null where it has no name. */
  deployment: string | null;
  /** Whether the pair was published and ingested too. Its times are not judged: publishing starts before its answer. */
  canary: boolean;
}
