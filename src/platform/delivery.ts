/** Where a function of ours runs. */
export const runtimes = ["edge", "nodejs"] as const;
export type Runtime = (typeof runtimes)[number];

/**
 * How a forward ended. `published`: QStash has the delivery. `fallback`: the store has it, past QStash. `lost`: it was
 * acknowledged and neither has all of it, so an operator must act. `refused`: it was not acknowledged, so Meta sends it again.
 */
export const forwardOutcomes = ["published", "fallback", "lost", "refused"] as const;
export type ForwardOutcome = (typeof forwardOutcomes)[number];

/** A delivery's id on the wire: ours is a UUID, but an older or a newer release may make another. */
export const deliveryIdPattern = /^[A-Za-z0-9_-]{1,100}$/;

/** What is known of a delivery from Meta beside its events. */
export interface DeliveryFacts {
  id: string;
  runtime: Runtime;
  /** Where the function ran, as the platform names it; null where the platform names none. */
  region: string | null;
  /** Whether this delivery was the first of its isolate. */
  coldStart: boolean;
  /** When the webhook was called, in milliseconds since the epoch. */
  receivedAtMs: number;
  bodyBytes: number;
  /** Which of the configured app secrets signed it, from 0. */
  secretIndex: number;
  /** Sent by the relay itself to compare the runtimes, not by Meta. */
  probe: boolean;
}
