import type { DeliveryFacts, ForwardOutcome, Runtime } from "#platform/delivery.ts";

/** The most reports in one request, so that it stays small. */
export const reportsMax = 200;

/** How many deliveries one isolate has refused since its previous report; stored by `/api/internal/reports`. */
export interface RefusalCounts {
  runtime: Runtime;
  /** When they are reported, within seconds of the last of them. */
  atMs: number;
  /** By reason: an error's code, or one of several reasons for it. */
  counts: Readonly<Record<string, number>>;
}

/** What one forward did and how long it took; stored by `/api/internal/reports`. */
export interface ForwardReport extends Omit<DeliveryFacts, "id"> {
  deliveryId: string;
  events: number;
  outcome: ForwardOutcome;
  /** From handler entry to the response, on a monotonic clock; null if that was no ack. */
  ackMs: number | null;
  /** The whole forward, from its start to its end, on a monotonic clock. */
  publishMs: number;
  /** When the queue had accepted every batch; null if it did not. */
  publishedAtMs: number | null;
  /** The queue's id for each batch that it accepted, in their order. */
  messageIds: readonly string[];
  /** Publish requests made, over all batches. */
  attempts: number;
  /** How many of them ended by our own timeout. */
  timeouts: number;
  /** The share of forwards like this one that are reported: this report stands for so many more. 1 for failures. */
  sampleRate: number;
  /** Whether the batches carry a time of the ack, too. */
  ackInBatch: boolean;
  /** The error code of the last failed attempt, the fallback's if that failed; null if none failed. */
  errorType: string | null;
}
