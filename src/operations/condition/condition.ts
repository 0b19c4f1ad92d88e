/** The facts about the relay at one moment: what the status page shows and the alert rules judge. */
import type { QueueCapabilities } from "#queue/capabilities.ts";
import type { Count } from "#store/connection/capped-count.ts";

/** Something that happened in a window, with the first and the last time in it; both null if it did not happen. Times are ISO 8601. */
export interface Happened extends Count {
  since: string | null;
  last: string | null;
}

/** Deliveries that were refused for one reason. */
export interface RefusedFor extends Happened {
  reason: string;
}

/**
 * Meta's hour: it unsubscribes an account whose deliveries were not answered with 200 for an hour. It runs while, minute for
 * minute, at least half of what may be Meta's is refused.
 */
export interface MetaHour {
  isRunning: boolean;
  /** The minute in which it began; null while it does not run. */
  since: string | null;
  minutesLeft: number | null;
  /** Of the deliveries of the last 15 minutes that may be Meta's the share that was refused, 0 to 1; null without any. */
  share: number | null;
}

/** The handler of one kind of event that fails now, by its most frequent error. */
export interface FailingHandler {
  kind: string;
  error: string;
  /** Calls of the last 15 minutes, failed ones, and their share. */
  runs: number;
  failed: number;
  rate: number;
  /** To the minute where the error is new, else to the hour; at most a day ago. */
  since: string;
  /** The minute of the last failure, and how many calls the minutes after it had: all of them succeeded. */
  lastFailedAt: string;
  succeededSince: number;
  /** The deployment in which this error began, and when that deployment first measured anything; null if it began before. */
  deployment: string | null;
  deployedAt: string | null;
}

/** A group of dead letters that waits for a decision. */
export interface OpenGroup {
  id: number;
  cause: string;
  errorName: string | null;
  kind: string | null;
  /** When it first occurred, or recurred after it was resolved. */
  at: string;
  isRegression: boolean;
}

export interface DeadLetterFacts {
  /** Those that are not resolved. */
  open: Count;
  /** How many groups are open, and the newest of them, at most 20. */
  openGroups: number;
  newest: OpenGroup[];
  /** Those whose copy QStash deletes within a day; `withoutCopy`: of which the relay has no whole copy of its own. */
  expiring: { count: number; withoutCopy: number; first: string | null };
}

export interface CanaryFacts {
  /** Whether probes are on. */
  isExpected: boolean;
  /** The newest canary, and the newest that arrived on both ways; null if there was none within a week. */
  sentAt: string | null;
  arrivedAt: string | null;
  /** The runtimes on which the newest that had ten minutes to arrive has not; empty if it has. */
  missingOn: ("edge" | "nodejs")[];
  /** Whether none was sent in the time in which one had to be. */
  isOverdue: boolean;
}

/** Whether so long without a delivery is unusual for this time of the week. */
export interface Silence {
  lastDeliveryAt: string | null;
  /** How many deliveries the past weeks had in the hours of this gap, on average. */
  expected: number;
  /** Full weeks of measurements that this is judged by, at most 4. */
  weeks: number;
  /** `unknown`: too little traffic, or too few weeks, to tell. */
  verdict: "usual" | "silent" | "unknown";
}

/** What the words about the other facts need to know of the queue. */
export type QueueFacts = Pick<QueueCapabilities, "title" | "inStore">;

/** Every fact; null where it is not known, which is never shown as 0. */
export interface Condition {
  asOf: string;
  queue: QueueFacts;
  store: "ok" | "down";
  /** What keeps the relay from storing though Postgres answers, in sentences; `isDown`: nothing can be stored. */
  storeFault: { cause: string; remedy: string; isDown: boolean } | null;
  /** Deliveries of the last 24 hours that were acknowledged and that neither the queue nor the store has. */
  lost: Happened | null;
  /** Deliveries of the last hour that were refused, in all and by reason, the most frequent first. */
  refused: (Happened & { perMinute: number; byReason: RefusedFor[] }) | null;
  metaHour: MetaHour | null;
  /** Deliveries of the last hour that were refused because neither the queue nor the fallback kept them in time. */
  acksWithheld: Happened | null;
  /** Whether the newest forwards reach the queue; see `readPublishState`. */
  publish: { state: "ok" | "failing" } | null;
  /** Events that are stored and not handled, dead ones apart; and when the oldest of them was stored. */
  open: (Count & { oldest: string | null }) | null;
  /** Of those: due for over a minute, not leased, and nothing has taken them. */
  stuck: (Count & { since: string | null }) | null;
  /** Handlers that fail now; empty if none does. */
  failing: FailingHandler[] | null;
  /** Events that wait for their next attempt, and when the first of them is due. */
  retrying: (Count & { nextAt: string | null }) | null;
  /** Deliveries of the last 24 hours that the queue accepted over a minute ago and that are not ingested: of those that sent a report. */
  notIngested: Happened | null;
  deadLetters: DeadLetterFacts | null;
  /** `since` is null while ingestion is not paused; `waiting`: batches at the queue at `askedAt`. */
  pause: { since: string | null; waiting: number | null; askedAt: string } | null;
  canary: CanaryFacts | null;
  /**
   * When a part of maintenance last ran, null if never; the parts that failed at their last run. The next run is expected from
   * the last one on, or from the first delivery on; null without either.
   */
  maintenance: { ranAt: string | null; expectedFrom: string | null; failed: string[] } | null;
  /** Default partitions with rows that belong into others: partitions were not made in time. */
  partitions: { defaults: string[] } | null;
  /** Acks of the last 15 minutes; `p99Ms` and `overOneSecond`, a share from 0 to 1, are null without any. */
  ack: { count: number; p99Ms: number | null; overOneSecond: number | null } | null;
  silence: Silence | null;
}
