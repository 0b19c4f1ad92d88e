import type { LifecycleRuntime, Strategy } from "./experiment.ts";
import type { Verdict } from "./judge-run.ts";
import { type Hold, holds, runtimes } from "./strategies.ts";

export interface JudgedRun {
  runtime: LifecycleRuntime;
  strategy: Strategy;
  verdict: Verdict;
}

const meanings: Record<Verdict, Record<Hold, string>> = {
  "on time": {
    started: "Nobody was told of this work; the instance ran on all the same.",
    awaited: "Done before the answer, which had to wait for it.",
    registered: "The platform was told of this work and waited for it.",
  },
  late: {
    started: "The instance slept after its answer until a later request woke it, perhaps that of somebody looking.",
    awaited: "This work was waited for. Its instance or the receiver of its mark was slow.",
    registered:
      "The platform was told of this work. Its instance or the receiver of its mark was slow, or the instance slept " +
      "until a later request woke it.",
  },
  never: {
    started:
      "Most likely the instance stopped after its answer, and the work with it. If it only sleeps, a later look " +
      "shows it late.",
    awaited:
      "The answer waited for this work and it is not here: it was stopped all the same, or its mark could not reach " +
      "this deployment.",
    registered:
      "The platform was told of this work and it is not here: it was not waited for, or its mark could not reach " +
      "this deployment.",
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

const names: Record<LifecycleRuntime, string> = { edge: "Edge", nodejs: "Node" };

/** What all of an experiment comes to: a statement for each runtime, or one without a name if it is true of both. */
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
  if (available.length === 0) return "Nothing could be begun: every call throws.";
  if (isCutOff(available)) {
    return (
      "No mark arrived. Most likely the calls of this deployment to itself do not go through: RELAY_URL has to be " +
      "its own address, RELAY_SECRET and DATABASE_URL the same in all its functions, and Deployment Protection must " +
      "let our own calls pass."
    );
  }
  const started = available.filter(({ strategy, verdict }) => holds[strategy] === "started" && verdict !== "failed");
  if (available.every(({ verdict }) => verdict === "on time")) {
    const allOnTime = "Everything that could be begun was done on time.";
    if (started.length === 0) return allOnTime;
    return (
      `${allOnTime} That is how a process looks that keeps running, next start on a laptop or a function that other ` +
      "requests keep awake; there the bug does not show."
    );
  }

  const sentences: string[] = [];
  const failed = strategiesOf(available, "failed").length;
  if (failed > 0) {
    sentences.push(
      `${failed} of ${available.length} runs could not be begun: the requests were not answered as they should be.`,
    );
  }
  const waitedFor = available.filter(isWaitedFor);
  const lost = strategiesOf(waitedFor, "never");
  if (lost.length > 0 && available.some(hasArrived)) {
    sentences.push(
      `No mark of ${lost.join(" and ")} is here, though others are: the work was lost, or only its mark. Run it again.`,
    );
  }
  const late = strategiesOf(waitedFor, "late");
  if (late.length > 0) {
    const those = late.join(" and ");
    sentences.push(`Late though waited for: ${those}. Most likely functions start slowly here. Run it again.`);
  }
  if (available.some(({ verdict }) => verdict === "pending")) sentences.push("Not everything is due yet.");
  else if (started.length > 0) sentences.push(...explainStarted(started, waitedFor));
  return sentences.join(" ");
}

/** One run that is not here may have lost no more than its mark, so it proves nothing. */
function explainStarted(started: readonly JudgedRun[], waitedFor: readonly JudgedRun[]): string[] {
  const lost = strategiesOf(started, "never").length;
  const late = strategiesOf(started, "late").length;
  const count = `Merely started: ${lost} lost and ${late} late of ${started.length} begun.`;
  // Where work that was waited for is late too, being late says nothing of a sleep.
  const gone = strategiesOf(waitedFor, "late").length > 0 ? lost : lost + late;
  if (gone === 0) return [count];
  if (gone === 1) return [count, "A single one is no proof: run it again."];
  const survivors = waitedFor.filter((run) => holds[run.strategy] === "registered" && hasArrived(run));
  const surviving = survivors.map(({ strategy }) => strategy);
  const sentences = [
    count,
    gone === started.length
      ? "Work that is merely started does not survive the answer here."
      : "Work that is merely started does not always survive the answer here.",
  ];
  if (surviving.length > 0) sentences.push(`What is handed to ${surviving.join(" or ")} does.`);
  if (surviving.includes("waitUntil")) sentences.push("The webhook hands its forward to waitUntil.");
  return sentences;
}

/** Work that is waited for tells it first: what is merely started may be missing for another reason. */
function isCutOff(available: readonly JudgedRun[]): boolean {
  if (available.some(hasArrived)) return false;
  const waitedFor = available.filter(isWaitedFor);
  const telling = waitedFor.length > 0 ? waitedFor : available;
  return telling.every(({ verdict }) => verdict === "never" || verdict === "failed");
}

function isWaitedFor({ strategy }: JudgedRun): boolean {
  return holds[strategy] !== "started";
}

function hasArrived({ verdict }: JudgedRun): boolean {
  return verdict === "on time" || verdict === "late";
}

function strategiesOf(runs: readonly JudgedRun[], wanted: Verdict): Strategy[] {
  return runs.filter(({ verdict }) => verdict === wanted).map(({ strategy }) => strategy);
}
