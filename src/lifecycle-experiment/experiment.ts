// The experiment's types, apart from its code: the store imports only these.

import type { Runtime } from "#platform/delivery.ts";

/** A way in which code starts work that outlasts, or nearly outlasts, its response; see strategies.ts. */
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
  /** When awaited and registered work is due, counted from its start. */
  earlyMs: number;
  /** When unregistered work is due on Node, counted from its start. On the edge it is due 3 s later. */
  lateMs: number;
}

/** One strategy on one runtime. */
export interface PlannedRun {
  runtime: Runtime;
  strategy: Strategy;
  /** When its work is due, counted from its start. */
  dueAfterMs: number;
}

/** How the request that was to start a run's work went; `unavailable` means that the strategy's call threw. */
export type StartStatus = "started" | "unavailable" | "failed";

export interface StartedRun extends PlannedRun {
  status: StartStatus;
  /** By the clock of the function that started the work; null if the request failed. */
  startedAtMs: number | null;
  region: string | null;
  /** How long the answer to the request took, measured by its sender; null if there was no answer. */
  answerMs: number | null;
}

/** What a run's work sends when it is done. */
export interface LifecycleMark {
  experimentId: string;
  runtime: Runtime;
  strategy: Strategy;
}

export interface PlannedExperiment {
  id: string;
  startedAtMs: number;
  runs: readonly PlannedRun[];
}
