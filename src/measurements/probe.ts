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

/**
 * How long the two functions had waited for a request: warm, both at most ten minutes; cold, both longer; mixed. By the
 * waiting and not by what the platform made of it: keeping a function alive for longer is an advantage that has to show.
 */
export type ProbeStart = "warm" | "cold" | "mixed";

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

const warmIdleMsMax = 10 * 60_000;

/** By how long each function had had no request; null counts as long. */
export function startOf(pair: Record<Runtime, Pick<MeasuredProbe, "idleMs">>): ProbeStart {
  const isWarm = ({ idleMs }: Pick<MeasuredProbe, "idleMs">) => idleMs !== null && idleMs <= warmIdleMsMax;
  if (isWarm(pair.edge) !== isWarm(pair.nodejs)) return "mixed";
  return isWarm(pair.edge) ? "warm" : "cold";
}
