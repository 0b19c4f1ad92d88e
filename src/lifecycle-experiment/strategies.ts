import type { LifecycleRuntime, LifecycleTiming, PlannedRun, Strategy } from "./experiment.ts";

/** What a strategy tells the platform of its work: nothing, nothing but a late answer, or that it has to be waited for. */
export type Hold = "started" | "awaited" | "registered";

/**
 * The ways in which code does something after its response, or nearly; in the order in which they are shown. The race is
 * there twice: with work that is done in time, and with work that outlasts it and is then merely started.
 */
export const holds: Record<Strategy, Hold> = {
  setImmediate: "started",
  "process.nextTick": "started",
  setTimeout: "started",
  "floating promise": "started",
  "await, 3 s race": "awaited",
  "await, 3 s race, slow work": "started",
  "after()": "registered",
  waitUntil: "registered",
};

export const strategies = Object.keys(holds) as Strategy[];
export const runtimes: readonly LifecycleRuntime[] = ["edge", "nodejs"];

/** How much later than due a mark may arrive and still be on time: a cold start of its receiver, with time to spare. */
export const toleranceMs = 2_000;

/** The race's 3 s are over before what is late is due. */
export const timingDefault: LifecycleTiming = { earlyMs: 1_000, lateMs: 6_000 };

/**
 * All runs of an experiment. Requests share an instance, so what one has registered keeps the merely started work of
 * another alive: the latter is due when nobody waits for anything any more. The edge's comes last, after the tolerance of
 * Node's: marks are received on Node, and would wake it while its own could still count as on time.
 */
export function planRuns({ earlyMs, lateMs }: LifecycleTiming): PlannedRun[] {
  const lateMsOf = { nodejs: lateMs, edge: lateMs + toleranceMs + 1_000 };
  return runtimes.flatMap((runtime) =>
    strategies.map((strategy) => ({
      runtime,
      strategy,
      dueAfterMs: holds[strategy] === "started" ? lateMsOf[runtime] : earlyMs,
    })),
  );
}
