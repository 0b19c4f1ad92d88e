// The experiment's types, which is what a store needs of it.

export type LifecycleRuntime = "edge" | "nodejs";

export type Strategy =
  | "setImmediate"
  | "process.nextTick"
  | "setTimeout"
  | "floating promise"
  | "await, 3 s race"
  | "await, 3 s race, slow work"
  | "after()"
  | "waitUntil";

export interface LifecycleTiming {
  /** When work is due that somebody waits for, counted from when it was begun. */
  earlyMs: number;
  /** When work is due that was merely started, or that nobody waits for any more. */
  lateMs: number;
}

/** One strategy on one runtime, and when its work is due, counted from when it was begun. */
export interface PlannedRun {
  runtime: LifecycleRuntime;
  strategy: Strategy;
  dueAfterMs: number;
}

/** How the request that was to begin a run's work went. */
export type StartStatus = "started" | "unavailable" | "failed";

export interface StartedRun extends PlannedRun {
  status: StartStatus;
  /** By the clock of the function that began it; null if it did not tell. */
  startedAtMs: number | null;
  region: string | null;
  /** How long the answer to the request took, as the caller saw it; null if there was none. */
  answerMs: number | null;
}

/** What a run's work leaves when it is done. */
export interface LifecycleMark {
  experimentId: string;
  runtime: LifecycleRuntime;
  strategy: Strategy;
}

export interface PlannedExperiment {
  id: string;
  startedAtMs: number;
  runs: readonly PlannedRun[];
}
