import type { StartStatus } from "./experiment.ts";
import { toleranceMs } from "./strategies.ts";

export type Verdict = "on time" | "late" | "never" | "pending" | "unavailable" | "failed";

/** What is known of a run; times in milliseconds since the epoch. */
export interface ObservedRun {
  /** Null while its request has no answer. */
  status: StartStatus | null;
  /** When its work was begun; while that is not known, when the experiment was. */
  startedAtMs: number;
  dueAfterMs: number;
  arrivedAtMs: number | null;
}

/**
 * For how long the request that begins a run may stay without an answer before the run counts as failed: longer than
 * start-experiment's answer timeout of 8 s, with time to store what came of it.
 */
export const unansweredMs = 9_000;

/**
 * Where the call threw, its strategy does not exist, even if the work ran. Otherwise a mark that has arrived speaks for
 * itself, whatever became of the request that was to begin its work.
 */
export function judgeRun(run: ObservedRun, nowMs: number): Verdict {
  if (run.status === "unavailable") return "unavailable";
  if (run.arrivedAtMs !== null) return run.arrivedAtMs <= overdueAtMs(run) ? "on time" : "late";
  if (run.status === "failed") return "failed";
  if (nowMs < pendingUntilMs(run)) return "pending";
  return run.status === "started" ? "never" : "failed";
}

/** Until then a run without a mark is pending, as far as is known now. */
export function pendingUntilMs(run: ObservedRun): number {
  return run.status === null ? Math.max(overdueAtMs(run), run.startedAtMs + unansweredMs) : overdueAtMs(run);
}

/** From then on a mark is late. */
function overdueAtMs({ startedAtMs, dueAfterMs }: ObservedRun): number {
  return startedAtMs + dueAfterMs + toleranceMs;
}
