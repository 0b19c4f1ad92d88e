import { type Runtime, runtimes } from "#platform/delivery.ts";

import type { Strategy } from "./experiment.ts";
import type { Verdict } from "./judge-run.ts";
import { type Hold, holds } from "./strategies.ts";

export interface JudgedRun {
  runtime: Runtime;
  strategy: Strategy;
  verdict: Verdict;
}

const meanings: Record<Verdict, Record<Hold, string>> = {
  "on time": {
    unregistered: "Nothing kept the instance running for this work; it ran on anyway.",
    awaited: "The work was done before the answer, which waited for it.",
    registered: "The work was registered with the platform, which kept the instance running for it.",
  },
  late: {
    unregistered:
      "The instance was frozen after its answer until a later request woke it. Opening this page can be that request.",
    awaited: "The answer waited for this work. The instance or the receiver of the mark was slow.",
    registered:
      "The work was registered with the platform. The instance or the receiver of the mark was slow, or the instance " +
      "was frozen until a later request woke it.",
  },
  never: {
    unregistered:
      "Most likely the instance stopped after its answer, before the work was done. If the instance is only frozen, " +
      "a later look shows this run as late.",
    awaited:
      "The answer waited for this work, but no mark arrived: the work was stopped anyway, or its mark could not reach " +
      "this deployment.",
    registered:
      "The work was registered with the platform, but no mark arrived: the platform did not wait for the work, or its " +
      "mark could not reach this deployment.",
  },
  pending: inAnyCase("No mark has arrived yet, and it is too early to judge."),
  unavailable: inAnyCase("This runtime lacks the function: the call throws."),
  failed: inAnyCase("The work could not be started: the request for it failed or got an unexpected answer."),
};

function inAnyCase(meaning: string): Record<Hold, string> {
  return { unregistered: meaning, awaited: meaning, registered: meaning };
}

/** What a run's verdict means, in one or two sentences. */
export function explainRun({ strategy, verdict }: JudgedRun): string {
  return meanings[verdict][holds[strategy]];
}

const names: Record<Runtime, string> = { edge: "Edge", nodejs: "Node" };

/** The conclusion of an experiment: one statement for each runtime, or a single one if both have the same. */
export function explainExperiment(runs: readonly JudgedRun[]): string {
  const findings = runtimes.flatMap((runtime) => {
    const ofRuntime = runs.filter((run) => run.runtime === runtime);
    return ofRuntime.length === 0 ? [] : [{ runtime, finding: explainRuntime(ofRuntime) }];
  });
  const [first] = findings;
  const isSame = findings.length === runtimes.length && findings.every(({ finding }) => finding === first?.finding);
  if (isSame && first !== undefined) return first.finding;
  return findings.map(({ runtime, finding }) => `${names[runtime]}: ${finding}`).join(" ");
}

function explainRuntime(runs: readonly JudgedRun[]): string {
  const available = runs.filter(({ verdict }) => verdict !== "unavailable");
  if (available.length === 0) return "No work could be started: every call throws.";
  if (isCutOff(available)) {
    return (
      "No mark arrived. Most likely this deployment cannot call itself: RELAY_URL must be its own address, " +
      "RELAY_SECRET and DATABASE_URL must be the same in all its functions, and Deployment Protection must let its " +
      "own calls pass."
    );
  }
  const unregistered = available.filter(
    ({ strategy, verdict }) => holds[strategy] === "unregistered" && verdict !== "failed",
  );
  if (available.every(({ verdict }) => verdict === "on time")) {
    const allOnTime = "All work that could be started was done on time.";
    if (unregistered.length === 0) return allOnTime;
    return (
      `${allOnTime} This is the result on a process that keeps running: next start on a laptop, or a function that ` +
      "other requests keep running. There the fault does not show."
    );
  }

  const sentences: string[] = [];
  const failed = strategiesOf(available, "failed").length;
  if (failed > 0) {
    sentences.push(
      `${failed} of ${available.length} runs could not be started: their requests failed or got an unexpected answer.`,
    );
  }
  const waitedFor = available.filter(isWaitedFor);
  const lost = strategiesOf(waitedFor, "never");
  if (lost.length > 0 && available.some(hasArrived)) {
    sentences.push(
      `No mark of ${lost.join(" and ")} arrived, but others did: the work was lost, or only its mark. Run it again.`,
    );
  }
  const late = strategiesOf(waitedFor, "late");
  if (late.length > 0) {
    const those = late.join(" and ");
    sentences.push(`Late, although waited for: ${those}. Most likely functions start slowly here. Run it again.`);
  }
  if (available.some(({ verdict }) => verdict === "pending")) sentences.push("Not everything is due yet.");
  else if (unregistered.length > 0) sentences.push(...explainUnregistered(unregistered, waitedFor));
  return sentences.join(" ");
}

/** A single missing mark proves nothing: the mark may be lost and the work done. */
function explainUnregistered(unregistered: readonly JudgedRun[], waitedFor: readonly JudgedRun[]): string[] {
  const lost = strategiesOf(unregistered, "never").length;
  const late = strategiesOf(unregistered, "late").length;
  const count = `Unregistered work: ${lost} lost and ${late} late of ${unregistered.length} started.`;
  // If work that was waited for is late too, lateness does not show that an instance was frozen.
  const gone = strategiesOf(waitedFor, "late").length > 0 ? lost : lost + late;
  if (gone === 0) return [count];
  if (gone === 1) return [count, "A single run is no proof: run it again."];
  const survivors = waitedFor.filter((run) => holds[run.strategy] === "registered" && hasArrived(run));
  const surviving = survivors.map(({ strategy }) => strategy);
  const sentences = [
    count,
    gone === unregistered.length
      ? "Unregistered work does not survive the answer here."
      : "Unregistered work does not always survive the answer here.",
  ];
  if (surviving.length > 0) sentences.push(`Work given to ${surviving.join(" or ")} does.`);
  if (surviving.includes("waitUntil")) sentences.push("The webhook gives its forward to waitUntil.");
  return sentences;
}

/** Whether no mark gets through. Judged by work that is waited for, since unregistered work may be missing anyway. */
function isCutOff(available: readonly JudgedRun[]): boolean {
  if (available.some(hasArrived)) return false;
  const waitedFor = available.filter(isWaitedFor);
  const telling = waitedFor.length > 0 ? waitedFor : available;
  return telling.every(({ verdict }) => verdict === "never" || verdict === "failed");
}

function isWaitedFor({ strategy }: JudgedRun): boolean {
  return holds[strategy] !== "unregistered";
}

function hasArrived({ verdict }: JudgedRun): boolean {
  return verdict === "on time" || verdict === "late";
}

function strategiesOf(runs: readonly JudgedRun[], wanted: Verdict): Strategy[] {
  return runs.filter(({ verdict }) => verdict === wanted).map(({ strategy }) => strategy);
}
