import type { Strategy } from "./experiment.ts";
import type { Verdict } from "./judge-run.ts";
import { type Hold, holds } from "./strategies.ts";

export interface JudgedRun {
  strategy: Strategy;
  verdict: Verdict;
}

const unreached = "This work is waited for. Most likely its mark could not reach this deployment.";
const slow = "This work was waited for. Its instance or the receiver of its mark was slow.";

const meanings: Record<Verdict, Record<Hold, string>> = {
  "on time": {
    started: "Nobody was told of this work; the instance ran on all the same.",
    awaited: "Done before the answer, which had to wait for it.",
    registered: "The platform was told of this work and waited for it.",
  },
  late: {
    started: "The instance slept after its answer until a later request woke it, perhaps that of somebody looking.",
    awaited: slow,
    registered: slow,
  },
  never: {
    started:
      "The instance stopped after its answer, and the work with it. If it only sleeps, a later look shows it late.",
    awaited: unreached,
    registered: unreached,
  },
  pending: inAnyCase("Not here yet, and not overdue."),
  unavailable: inAnyCase("This runtime has no such thing: the call throws."),
  failed: inAnyCase("It could not be begun: the request for it was not answered as it should be."),
};

function inAnyCase(meaning: string): Record<Hold, string> {
  return { started: meaning, awaited: meaning, registered: meaning };
}

/** One run's verdict in a sentence or two. */
export function explainRun({ strategy, verdict }: JudgedRun): string {
  return meanings[verdict][holds[strategy]];
}

const all: readonly Hold[] = ["started", "awaited", "registered"];

/** What all of an experiment comes to, in a sentence or two. */
export function explainExperiment(runs: readonly JudgedRun[]): string {
  const has = (verdict: Verdict, among = all) =>
    runs.some((run) => run.verdict === verdict && among.includes(holds[run.strategy]));
  const waitedFor: readonly Hold[] = ["awaited", "registered"];
  if (has("failed") || has("never", waitedFor)) {
    return (
      "Not every call of this deployment to itself went through: RELAY_URL has to be its own address, RELAY_SECRET and " +
      "DATABASE_URL the same in all its functions, and Deployment Protection must let our own calls pass."
    );
  }
  if (has("pending")) return "Not everything is due yet.";
  if (has("never") || has("late", ["started"])) {
    return (
      "Work that is merely started does not survive the answer here; what is handed to after() or waitUntil does. The " +
      "webhook hands its forward to waitUntil."
    );
  }
  if (has("late")) return "Work that was waited for left its mark late: functions start slowly here. Run it again.";
  return (
    "Everything that could be begun was done on time. That is how a process looks that keeps running, next start on a " +
    "laptop or a function that other requests keep awake; there the bug does not show."
  );
}
