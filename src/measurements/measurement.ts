/** What one step of a delivery measured, as it is stored until the roll-up adds it to the figures. */

import type { Runtime } from "#platform/delivery.ts";

/** What is measured as a time. */
export type TimeMetric = "ack" | "publish" | "queue" | "ingest" | "handler" | "endToEnd" | "probe";

/**
 * What is counted. `correction`: outcomes that another one has replaced, by the old one: counts only rise. `unattempted`:
 * forwards that made no attempt to publish.
 */
export type CountMetric =
  | "deliveries"
  | "coldStarts"
  | "outcome"
  | "correction"
  | "unattempted"
  | "events"
  | "duplicates"
  | "error"
  | "publishTimeouts"
  | "refusal"
  | "handlerFailure"
  | "handlerRetry";

/** Of which place a measurement is. */
export interface MeasuredPlace {
  /** Null where it is not known. */
  runtime: Runtime | null;
  region: string | null;
  deployment: string | null;
  cold: boolean | null;
  /** Whether it is of a probe: of those only the time of the probe itself is counted. */
  probe: boolean;
}

/** In JSON, since each step measures something else. Times are in milliseconds; one below zero is a clock's skew. */
export interface MeasurementFacts {
  times?: readonly (readonly [metric: TimeMetric, ms: number, weight: number, kind?: string])[];
  counts?: readonly (readonly [metric: CountMetric, count: number, label?: string, kind?: string])[];
  /** Of an ingested batch, unless it is of a backfill: its events by kind. */
  events?: Readonly<Record<string, number>>;
  /** Of an ingested batch: from the time that Meta names to the consumer's call. */
  sentMs?: number;
}

export interface Measurement extends MeasuredPlace {
  /** When the webhook was called; of a handler, when it was called. */
  atMs: number;
  facts: MeasurementFacts;
  /** What the first batch and the report both know; null if the other one has brought it. */
  firstFacts: MeasurementFacts | null;
  /** Of an ingested batch; else null. */
  ingestMs: number | null;
  /** Of an ingested batch: its new events by kind; null if all are new. */
  inserted: Readonly<Record<string, number>> | null;
}
