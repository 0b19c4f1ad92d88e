import type { StartStatus } from "./experiment.ts";
import { answerTimeoutMs, toleranceMs } from "./strategies.ts";

/** What became of a run; docs/LIFECYCLE.md explains each word. */
export type Verdict = "on time" | "late" | "never" | "pending" | "unavailable" | "failed";

/** What is known of a run. Points in time are milliseconds since the epoch. */
export interface ObservedRun {
  /** Null while its request has no answer. */
  status: StartStatus | null;
  /** When its work started; while that is unknown, when the experiment did. */
  startedAtMs: number;
  dueAfterMs: number;
  arrivedAtMs: number | null;
}

/** After this time without an answer to its request a run counts as failed. The last second is for storing the answer. */
export const unansweredMs = answerTimeoutMs + 1_000;

/**
 * The verdict at `nowMs`. A call that threw makes the run `unavailable`, even if its work ran. Otherwise a mark that has
 * arrived decides, even if the request for the run failed.
 */
export function judgeRun(run: ObservedRun, nowMs: number): Verdict {
  if (run.status === "unavailable") return "unavailable";
  if (run.arrivedAtMs !== null) return run.arrivedAtMs <= overdueAtMs(run) ? "on time" : "late";
  if (run.status === "failed") return "failed";
  if (nowMs < pendingUntilMs(run)) return "pending";
  return run.status === "started" ? "never" : "failed";
}

/** When a run without a mark stops being pending, in milliseconds since the epoch, by what is known now. */
export function pendingUntilMs(run: ObservedRun): number {
  return run.status === null ? Math.max(overdueAtMs(run), run.startedAtMs + unansweredMs) : overdueAtMs(run);
}

/** A mark that arrives after this is late. */
function overdueAtMs({ startedAtMs, dueAfterMs }: ObservedRun): number {
  return startedAtMs + dueAfterMs + toleranceMs;
}
