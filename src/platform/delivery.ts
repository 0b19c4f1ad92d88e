import type { ForwardErrorCode } from "./forward-error.ts";
import type { EnvRecord } from "./webhook-env.ts";

/** Where a function of ours runs. */
export const runtimes = ["edge", "nodejs"] as const;
export type Runtime = (typeof runtimes)[number];

/**
 * How a forward ended. `published`: the queue has the delivery. `fallback`: the store has it, past the queue. `lost`: it was
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
  /** The build that ran, as the platform names it; null where neither the platform nor the build has a name. */
  deployment: string | null;
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

/** The facts of a delivery as its batches carry them. Batches of older releases lack what is null. */
export interface ForwardedDelivery extends DeliveryFacts {
  /** From handler entry to the start of the forward, on a monotonic clock, where the ack waits for no more; else null. */
  ackMs: number | null;
  /** When the forward began, in milliseconds since the epoch. */
  publishStartedAtMs: number | null;
}

/** A forward that has started. Both promises are bounded in time and never reject. */
export interface Forwarding<Result = ForwardResult> {
  /** Whether the queue or the store has every event; settles with `result`. */
  kept: Promise<boolean>;
  result: Promise<Result>;
}

/** What one forward did, without the ack. */
export interface ForwardResult {
  /** Null if neither the queue nor the store has all events: whether they are `lost` or `refused` depends on the ack. */
  outcome: Exclude<ForwardOutcome, "lost" | "refused"> | null;
  /** The whole forward, on a monotonic clock. */
  durationMs: number;
  /** When the queue had accepted every batch, in milliseconds since the epoch; null if it did not. */
  publishedAtMs: number | null;
  /** The queue's id for each batch that it accepted, in their order. */
  messageIds: readonly string[];
  /** Publish requests made, over all batches. */
  attempts: number;
  /** How many of them ended by our own timeout. */
  timeouts: number;
  /** Of the last failed attempt, the fallback's if that failed; null if none failed. */
  errorType: ForwardErrorCode | null;
  /** Of the last failed attempt to publish; null if none failed. */
  publishErrorType: ForwardErrorCode | null;
  /** How many batches the delivery made; 0 if encoding failed. */
  batches: number;
  /** What neither has. `batch` is null if encoding failed. */
  undelivered: readonly { batch: string | null; keys: readonly string[] }[];
}

/** The facts that the platform gives. `nextRuntime` is `NEXT_RUNTIME`, which the build replaces by a constant. */
export function readPlace(
  nextRuntime: string | undefined,
  record: EnvRecord,
): Pick<DeliveryFacts, "runtime" | "region" | "deployment"> {
  return {
    runtime: nextRuntime === "edge" ? "edge" : "nodejs",
    region: record["VERCEL_REGION"] ?? null,
    deployment: readDeployment(record),
  };
}

/** The build that runs: as Vercel names it, else `BUILD_ID`, which `npm start` sets; null if neither is there. */
export function readDeployment(record: EnvRecord): string | null {
  return record["VERCEL_DEPLOYMENT_ID"] ?? record["VERCEL_GIT_COMMIT_SHA"] ?? record["BUILD_ID"] ?? null;
}

/** Whether the edge is Next's emulation of it, as with `next start`: its times then say nothing about Vercel's edge. */
export function isEdgeEmulated(record: EnvRecord): boolean {
  return record["VERCEL"] === undefined;
}
