import { describe, expect, test } from "vitest";

import { explainExperiment, explainRun } from "#lifecycle-experiment/explain-verdicts.ts";
import type { LifecycleRuntime, Strategy } from "#lifecycle-experiment/experiment.ts";
import {
  judgeRun,
  type ObservedRun,
  pendingUntilMs,
  unansweredMs,
  type Verdict,
} from "#lifecycle-experiment/judge-run.ts";
import { holds, planRuns, runtimes, strategies, timingDefault, toleranceMs } from "#lifecycle-experiment/strategies.ts";

const startedAtMs = 1_700_000_000_000;
const run: ObservedRun = { status: "started", startedAtMs, dueAfterMs: 1_000, arrivedAtMs: null };
const overdueMs = 1_000 + toleranceMs;
const arrivedAfter = (ms: number) => ({ arrivedAtMs: startedAtMs + ms });

describe("a run is", () => {
  test.each<[Verdict, string, Partial<ObservedRun>, number]>([
    ["on time", "when its mark arrives as it is due", arrivedAfter(1_000), 1_000],
    ["on time", "up to the tolerance", arrivedAfter(overdueMs), 60_000],
    ["late", "beyond it", arrivedAfter(overdueMs + 1), 60_000],
    ["pending", "while it is not overdue", {}, overdueMs - 1],
    ["never", "from then on", {}, overdueMs],
    ["pending", "while its request has no answer", { status: null }, 1_000],
    ["pending", "while its request may still get one", { status: null }, unansweredMs - 1],
    ["failed", "when it never got one", { status: null }, unansweredMs],
    ["pending", "until it is overdue if that is later", { status: null, dueAfterMs: 9_000 }, 9_000 + toleranceMs - 1],
    ["failed", "from then on", { status: null, dueAfterMs: 9_000 }, 9_000 + toleranceMs],
    [
      "on time",
      "before its request has an answer, once its mark is there",
      { status: null, ...arrivedAfter(900) },
      950,
    ],
    ["failed", "at once when its request failed", { status: "failed" }, 0],
    ["on time", "though its request failed, once its mark is there", { status: "failed", ...arrivedAfter(900) }, 5_000],
    ["unavailable", "where the runtime has no such thing", { status: "unavailable" }, 60_000],
    ["unavailable", "though its work ran", { status: "unavailable", ...arrivedAfter(900) }, 60_000],
  ])("%s %s", (verdict, _when, facts, nowAfterMs) => {
    expect(judgeRun({ ...run, ...facts }, startedAtMs + nowAfterMs)).toBe(verdict);
  });
});

test("a run without an answer is given longer than the 8 s its request may take", () => {
  expect(unansweredMs).toBeGreaterThan(8_000);
  expect(pendingUntilMs({ ...run, status: null })).toBe(startedAtMs + unansweredMs);
  expect(pendingUntilMs(run)).toBe(startedAtMs + overdueMs);
});

describe("the plan", () => {
  const runs = planRuns(timingDefault);
  const due = (runtime: string, hold: string) =>
    runs.filter((each) => each.runtime === runtime && holds[each.strategy] === hold).map((each) => each.dueAfterMs);

  test("has every strategy on both runtimes", () => {
    const pairs = new Set(runs.map(({ runtime, strategy }) => `${runtime} ${strategy}`));
    expect(pairs.size).toBe(2 * strategies.length);
  });

  test("has merely started work due when nothing is waited for any more, and the edge's when Node's is overdue", () => {
    for (const runtime of ["edge", "nodejs"]) {
      const waitedFor = [...due(runtime, "registered"), ...due(runtime, "awaited")];
      expect(Math.min(...due(runtime, "started"))).toBeGreaterThan(Math.max(...waitedFor) + toleranceMs);
    }
    expect(Math.min(...due("edge", "started"))).toBeGreaterThan(Math.max(...due("nodejs", "started")) + toleranceMs);
  });
});

describe("the conclusion", () => {
  type Judge = (runtime: LifecycleRuntime, strategy: Strategy) => Verdict;
  const conclude = (judge: Judge) =>
    explainExperiment(
      runtimes.flatMap((runtime) =>
        strategies.map((strategy) => ({ runtime, strategy, verdict: judge(runtime, strategy) })),
      ),
    );
  const held =
    (verdicts: Partial<Record<"started" | "awaited" | "registered", Verdict>>): Judge =>
    (_runtime, strategy) =>
      verdicts[holds[strategy]] ?? "on time";
  const only =
    (wanted: LifecycleRuntime, those: readonly Strategy[], verdict: Verdict, others: Judge = held({})): Judge =>
    (runtime, strategy) =>
      runtime === wanted && those.includes(strategy) ? verdict : others(runtime, strategy);
  const on =
    (edge: Judge, nodejs: Judge): Judge =>
    (runtime, strategy) =>
      (runtime === "edge" ? edge : nodejs)(runtime, strategy);

  const allOnTime =
    "Everything that could be begun was done on time. That is how a process looks that keeps running, next start on " +
    "a laptop or a function that other requests keep awake; there the bug does not show.";
  const cutOff =
    "No mark arrived. Most likely the calls of this deployment to itself do not go through: RELAY_URL has to be its " +
    "own address, RELAY_SECRET and DATABASE_URL the same in all its functions, and Deployment Protection must let " +
    "our own calls pass.";
  const nothing = (names: string) =>
    `No mark of ${names} is here, though others are: the work was lost, or only its mark. Run it again.`;
  const slow = (names: string) =>
    `Late though waited for: ${names}. Most likely functions start slowly here. Run it again.`;
  const count = (lost: number, late: number, begun = 5) =>
    `Merely started: ${lost} lost and ${late} late of ${begun} begun.`;
  const dies = "Work that is merely started does not survive the answer here.";
  const mayDie = "Work that is merely started does not always survive the answer here.";
  const noProof = "A single one is no proof: run it again.";
  const webhook = "The webhook hands its forward to waitUntil.";
  const bothSurvive = `What is handed to after() or waitUntil does. ${webhook}`;
  const pending = "Not everything is due yet.";

  const absent: readonly Strategy[] = ["setImmediate", "process.nextTick"];
  test.each<[string, Judge, string]>([
    ["all on time", held({}), allOnTime],
    ["all on time that a runtime has", only("edge", absent, "unavailable"), allOnTime],
    ["nothing available", () => "unavailable", "Nothing could be begun: every call throws."],
    [
      "nothing available but what is waited for",
      held({ started: "unavailable" }),
      "Everything that could be begun was done on time.",
    ],
    ["merely started work lost", held({ started: "never" }), `${count(5, 0)} ${dies} ${bothSurvive}`],
    ["merely started work late", held({ started: "late" }), `${count(0, 5)} ${dies} ${bothSurvive}`],
    [
      "merely started work lost, of fewer runs on the edge",
      only("edge", absent, "unavailable", held({ started: "never" })),
      `Edge: ${count(3, 0, 3)} ${dies} ${bothSurvive} Node: ${count(5, 0)} ${dies} ${bothSurvive}`,
    ],
    [
      "merely started work lost on Node alone",
      on(held({}), held({ started: "never" })),
      `Edge: ${allOnTime} Node: ${count(5, 0)} ${dies} ${bothSurvive}`,
    ],
    [
      "some of it lost, some late, some on time",
      only("nodejs", ["setTimeout", "setImmediate"], "never", only("nodejs", ["floating promise"], "late")),
      `Edge: ${allOnTime} Node: ${count(2, 1)} ${mayDie} ${bothSurvive}`,
    ],
    [
      "a single run of it lost",
      only("nodejs", ["setTimeout"], "never"),
      `Edge: ${allOnTime} Node: ${count(1, 0)} ${noProof}`,
    ],
    [
      "waitUntil alone lost on the edge",
      only("edge", ["waitUntil"], "never"),
      `Edge: ${nothing("waitUntil")} ${count(0, 0)} Node: ${allOnTime}`,
    ],
    [
      "waitUntil lost like merely started work",
      only("edge", ["waitUntil"], "never", held({ started: "never" })),
      `Edge: ${nothing("waitUntil")} ${count(5, 0)} ${dies} What is handed to after() does. ` +
        `Node: ${count(5, 0)} ${dies} ${bothSurvive}`,
    ],
    [
      "registered and merely started work lost",
      held({ started: "never", registered: "never" }),
      `${nothing("after() and waitUntil")} ${count(5, 0)} ${dies}`,
    ],
    [
      "registered work unavailable and merely started work lost",
      held({ started: "never", registered: "unavailable" }),
      `${count(5, 0)} ${dies}`,
    ],
    [
      "after() unavailable and merely started work lost",
      only("nodejs", ["after()"], "unavailable", only("edge", ["after()"], "unavailable", held({ started: "never" }))),
      `${count(5, 0)} ${dies} What is handed to waitUntil does. ${webhook}`,
    ],
    ["registered work late", held({ registered: "late" }), `${slow("after() and waitUntil")} ${count(0, 0)}`],
    [
      "all late, which tells nothing of a sleep",
      () => "late",
      `${slow("await, 3 s race and after() and waitUntil")} ${count(0, 5)}`,
    ],
    ["not all due", held({ started: "pending" }), pending],
    [
      "not all due and waitUntil lost",
      only("edge", ["waitUntil"], "never", held({ started: "pending" })),
      `Edge: ${nothing("waitUntil")} ${pending} Node: ${pending}`,
    ],
    [
      "nothing here yet, and not all due that is waited for",
      held({ started: "pending", awaited: "never", registered: "pending" }),
      pending,
    ],
    ["no mark at all", () => "never", cutOff],
    ["no mark of the edge", on(() => "never", held({})), `Edge: ${cutOff} Node: ${allOnTime}`],
    ["no mark of what was due first", held({ started: "pending", awaited: "never", registered: "never" }), cutOff],
    ["nothing begun", () => "failed", cutOff],
    [
      "one run that could not be begun",
      only("edge", ["setTimeout"], "failed"),
      "Edge: 1 of 8 runs could not be begun: the requests were not answered as they should be. " +
        `${count(0, 0, 4)} Node: ${allOnTime}`,
    ],
  ])("with %s", (_name, judge, conclusion) => {
    expect(conclude(judge)).toBe(conclusion);
  });

  test("says nothing of a runtime that has no runs", () => {
    expect(explainExperiment([{ runtime: "nodejs", strategy: "waitUntil", verdict: "pending" }])).toBe(
      `Node: ${pending}`,
    );
  });
});

describe("the meaning of a lost run", () => {
  const meaningOf = (strategy: Strategy) => explainRun({ runtime: "edge", strategy, verdict: "never" });

  test("that was merely started allows for a sleep, that of one that was registered does not", () => {
    expect(meaningOf("setTimeout")).toContain("a later look");
    expect(meaningOf("waitUntil")).not.toContain("a later look");
  });

  test.each<Strategy>(["await, 3 s race", "after()", "waitUntil"])("%s leaves open what the cause is", (strategy) => {
    expect(meaningOf(strategy)).toMatch(/is not here: .+, or its mark could not reach this deployment\.$/);
  });
});
