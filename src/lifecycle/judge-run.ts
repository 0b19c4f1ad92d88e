import type { StartStatus } from "./experiment.ts";
import { toleranceMs } from "./strategies.ts";

export type Verdict = "on time" | "late" | "never" | "pending" | "unavailable" | "failed";

/** What is known of a run; times in milliseconds since the epoch. */
export interface ObservedRun {
  /** Null while its request has no answer. */
  status: StartStatus | null;
  /** When its work was begun, or was to be. */
  startedAtMs: number;
  dueAfterMs: number;
  arrivedAtMs: number | null;
}

/** A mark that has arrived speaks for itself, whatever became of the request that was to begin its work. */
export function judgeRun(run: ObservedRun, nowMs: number): Verdict {
  if (run.arrivedAtMs !== null) return run.arrivedAtMs <= overdueAtMs(run) ? "on time" : "late";
  if (run.status === "unavailable" || run.status === "failed") return run.status;
  if (nowMs < overdueAtMs(run)) return "pending";
  return run.status === "started" ? "never" : "failed";
}

/** From then on a mark is late. */
export function overdueAtMs({ startedAtMs, dueAfterMs }: Pick<ObservedRun, "startedAtMs" | "dueAfterMs">): number {
  return startedAtMs + dueAfterMs + toleranceMs;
}
