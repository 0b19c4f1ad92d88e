import { runtimes } from "#platform/delivery.ts";

import type { LifecycleTiming, PlannedRun, Strategy } from "./experiment.ts";

/** What keeps the instance running until the work is done: nothing, the response that waits, or the platform. */
export type Hold = "unregistered" | "awaited" | "registered";

/**
 * The strategies in the order in which they are shown. The race is there twice: once with work that ends within its 3 s,
 * once with work that outlasts them and is unregistered from then on.
 */
export const holds: Record<Strategy, Hold> = {
  setImmediate: "unregistered",
  "process.nextTick": "unregistered",
  setTimeout: "unregistered",
  "floating promise": "unregistered",
  "await, 3 s race": "awaited",
  "await, 3 s race, slow work": "unregistered",
  "after()": "registered",
  waitUntil: "registered",
};

/** All strategies, in the order in which they are shown. */
export const strategies = Object.keys(holds) as Strategy[];

/** How long after it is due a mark still counts as on time: enough for a cold start of the function that receives it. */
export const toleranceMs = 2_000;

/** How long the request that starts a run may take: longer than the race's 3 s, after a cold start. */
export const answerTimeoutMs = 8_000;

/** `lateMs` is after the end of the race's 3 s. */
export const timingDefault: LifecycleTiming = { earlyMs: 1_000, lateMs: 6_000 };

/**
 * All runs of an experiment. Requests share an instance, so the registered work of one keeps the unregistered work of
 * another running: unregistered work is due when no awaited or registered work is left. On the edge it is due last, after
 * Node's tolerance: marks are received on Node, and the edge's would wake the Node instance while its own marks could
 * still count as on time.
 */
export function planRuns({ earlyMs, lateMs }: LifecycleTiming): PlannedRun[] {
  const lateMsOf = { nodejs: lateMs, edge: lateMs + toleranceMs + 1_000 };
  return runtimes.flatMap((runtime) =>
    strategies.map((strategy) => ({
      runtime,
      strategy,
      dueAfterMs: holds[strategy] === "unregistered" ? lateMsOf[runtime] : earlyMs,
    })),
  );
}
