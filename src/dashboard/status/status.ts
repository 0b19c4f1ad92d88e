/** How the relay is, in the order in which an operator asks: the JSON of `/api/ops/status`. */

/** `unknown`: the store did not say. */
export type ItemState = "ok" | "attention" | "failing" | "unknown";

/** The questions, in their order. The first five are always shown, the others if something is to be said. */
export const itemNames = [
  "lost",
  "refused",
  "stuck",
  "failing",
  "waiting",
  "metaHour",
  "store",
  "publish",
  "pause",
  "expiring",
  "ack",
  "maintenance",
  "canary",
  "silence",
  "partitions",
  "backfill",
] as const;
export type ItemName = (typeof itemNames)[number];

/** The answer to one question. */
export interface StatusItem {
  name: ItemName;
  state: ItemState;
  /** Null where it is unknown, and for what is not counted. */
  count: number | null;
  /** Whether there are more than were counted. */
  isCapped: boolean;
  /** ISO 8601; null if it does not happen, or where that is unknown. */
  since: string | null;
  /** The answer in words, with what to do where something is to be done. */
  sentence: string;
  /** The page that shows what is counted, a path of the dashboard. */
  href: string | null;
}

/** What one deployment measured in the last seven days. */
export interface DeploymentFigures {
  id: string;
  firstSeenAt: string;
  deliveries: number;
  ackP95Ms: number | null;
  handlerRuns: number;
  /** The share of the handlers' calls that failed, 0 to 1; null without calls. */
  handlerFailureRate: number | null;
}

/** The last deployment against the one before it. */
export interface DeploymentChange {
  last: DeploymentFigures;
  /** Null if none is known. */
  before: DeploymentFigures | null;
  sentence: string;
}

/** Everything that the status page says in words. */
export interface Status {
  asOf: string;
  /** `ok` only if every item is; an item that is unknown needs attention. */
  status: "ok" | "attention" | "failing";
  sentence: string;
  items: StatusItem[];
  /** Null if no deployment is known. */
  deployment: DeploymentChange | null;
  metaHour: { isRunning: boolean; since: string | null; minutesLeft: number | null } | null;
  /** Within four weeks; null if there was none. */
  lastDeliveryAt: string | null;
}
