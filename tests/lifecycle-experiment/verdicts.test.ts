import { describe, expect, test } from "vitest";

import { explainExperiment, explainRun } from "#lifecycle-experiment/explain-verdicts.ts";
import type { Strategy } from "#lifecycle-experiment/experiment.ts";
import { type Runtime, runtimes } from "#platform/delivery.ts";
import {
  judgeRun,
  type ObservedRun,
  pendingUntilMs,
  unansweredMs,
  type Verdict,
} from "#lifecycle-experiment/judge-run.ts";
import {
  type Hold,
  holds,
  planRuns,
  strategies,
  timingDefault,
  toleranceMs,
} from "#lifecycle-experiment/strategies.ts";

const startedAtMs = 1_700_000_000_000;
const run: ObservedRun = { status: "started", startedAtMs, dueAfterMs: 1_000, arrivedAtMs: null };
const overdueMs = 1_000 + toleranceMs;
const arrivedAfter = (ms: number) => ({ arrivedAtMs: startedAtMs + ms });

describe("a run is", () => {
  test.each<[Verdict, string, Partial<ObservedRun>, number]>([
    ["on time", "when its mark arrives at the time its work is due", arrivedAfter(1_000), 1_000],
    ["on time", "up to the tolerance", arrivedAfter(overdueMs), 60_000],
    ["late", "after that", arrivedAfter(overdueMs + 1), 60_000],
    ["pending", "while it is not overdue", {}, overdueMs - 1],
    ["never", "once it is overdue", {}, overdueMs],
    ["pending", "while its request has no answer", { status: null }, 1_000],
    ["pending", "while its request may still get one", { status: null }, unansweredMs - 1],
    ["failed", "once it is too late for an answer", { status: null }, unansweredMs],
    [
      "pending",
      "without an answer, until it is overdue if that is later",
      { status: null, dueAfterMs: 9_000 },
      9_000 + toleranceMs - 1,
    ],
    ["failed", "without an answer, once it is overdue", { status: null, dueAfterMs: 9_000 }, 9_000 + toleranceMs],
    [
      "on time",
      "before its request has an answer, once its mark has arrived",
      { status: null, ...arrivedAfter(900) },
      950,
    ],
    ["failed", "at once if its request failed", { status: "failed" }, 0],
    [
      "on time",
      "although its request failed, once its mark has arrived",
      { status: "failed", ...arrivedAfter(900) },
      5_000,
    ],
    ["unavailable", "if the runtime lacks the function", { status: "unavailable" }, 60_000],
    ["unavailable", "even if its work ran", { status: "unavailable", ...arrivedAfter(900) }, 60_000],
  ])("%s %s", (verdict, _when, facts, nowAfterMs) => {
    expect(judgeRun({ ...run, ...facts }, startedAtMs + nowAfterMs)).toBe(verdict);
  });
});

test("a run without an answer stays pending longer than the 8 s that its request may take", () => {
  expect(unansweredMs).toBeGreaterThan(8_000);
  expect(pendingUntilMs({ ...run, status: null })).toBe(startedAtMs + unansweredMs);
  expect(pendingUntilMs(run)).toBe(startedAtMs + overdueMs);
});

describe("the plan", () => {
  const runs = planRuns(timingDefault);
  const due = (runtime: string, hold: string) =>
    runs.filter((each) => each.runtime === runtime && holds[each.strategy] === hold).map((each) => each.dueAfterMs);

  test("contains every strategy on both runtimes", () => {
    const pairs = new Set(runs.map(({ runtime, strategy }) => `${runtime} ${strategy}`));
    expect(pairs.size).toBe(2 * strategies.length);
  });

  test("lets unregistered work be due after all other work, and the edge's after Node's is overdue", () => {
    for (const runtime of ["edge", "nodejs"]) {
      const waitedFor = [...due(runtime, "registered"), ...due(runtime, "awaited")];
      expect(Math.min(...due(runtime, "unregistered"))).toBeGreaterThan(Math.max(...waitedFor) + toleranceMs);
    }
    expect(Math.min(...due("edge", "unregistered"))).toBeGreaterThan(
      Math.max(...due("nodejs", "unregistered")) + toleranceMs,
    );
  });
});

describe("the conclusion", () => {
  type Judge = (runtime: Runtime, strategy: Strategy) => Verdict;
  const conclude = (judge: Judge) =>
    explainExperiment(
      runtimes.flatMap((runtime) =>
        strategies.map((strategy) => ({ runtime, strategy, verdict: judge(runtime, strategy) })),
      ),
    );
  const held =
    (verdicts: Partial<Record<Hold, Verdict>>): Judge =>
    (_runtime, strategy) =>
      verdicts[holds[strategy]] ?? "on time";
  const only =
    (wanted: Runtime, those: readonly Strategy[], verdict: Verdict, others: Judge = held({})): Judge =>
    (runtime, strategy) =>
      runtime === wanted && those.includes(strategy) ? verdict : others(runtime, strategy);
  const on =
    (edge: Judge, nodejs: Judge): Judge =>
    (runtime, strategy) =>
      (runtime === "edge" ? edge : nodejs)(runtime, strategy);

  const allOnTime =
    "All work that could be started was done on time. This is the result on a process that keeps running: next start on " +
    "a laptop, or a function that other requests keep running. There the fault does not show.";
  const cutOff =
    "No mark arrived. Most likely this deployment cannot call itself: RELAY_URL must be its own address, RELAY_SECRET " +
    "and DATABASE_URL must be the same in all its functions, and Deployment Protection must let its own calls pass.";
  const nothing = (names: string) =>
    `No mark of ${names} arrived, but others did: the work was lost, or only its mark. Run it again.`;
  const slow = (names: string) =>
    `Late, although waited for: ${names}. Most likely functions start slowly here. Run it again.`;
  const count = (lost: number, late: number, started = 5) =>
    `Unregistered work: ${lost} lost and ${late} late of ${started} started.`;
  const notSurviving = "Unregistered work does not survive the answer here.";
  const notAlwaysSurviving = "Unregistered work does not always survive the answer here.";
  const noProof = "A single run is no proof: run it again.";
  const webhook = "The webhook gives its forward to waitUntil.";
  const bothSurvive = `Work given to after() or waitUntil does. ${webhook}`;
  const pending = "Not everything is due yet.";

  const absent: readonly Strategy[] = ["setImmediate", "process.nextTick"];
  test.each<[string, Judge, string]>([
    ["all on time", held({}), allOnTime],
    ["everything on time that the runtime offers", only("edge", absent, "unavailable"), allOnTime],
    ["nothing available", () => "unavailable", "No work could be started: every call throws."],
    [
      "no unregistered work available",
      held({ unregistered: "unavailable" }),
      "All work that could be started was done on time.",
    ],
    ["unregistered work lost", held({ unregistered: "never" }), `${count(5, 0)} ${notSurviving} ${bothSurvive}`],
    ["unregistered work late", held({ unregistered: "late" }), `${count(0, 5)} ${notSurviving} ${bothSurvive}`],
    [
      "unregistered work lost, of fewer runs on the edge",
      only("edge", absent, "unavailable", held({ unregistered: "never" })),
      `Edge: ${count(3, 0, 3)} ${notSurviving} ${bothSurvive} Node: ${count(5, 0)} ${notSurviving} ${bothSurvive}`,
    ],
    [
      "unregistered work lost on Node alone",
      on(held({}), held({ unregistered: "never" })),
      `Edge: ${allOnTime} Node: ${count(5, 0)} ${notSurviving} ${bothSurvive}`,
    ],
    [
      "some unregistered work lost, some late, some on time",
      only("nodejs", ["setTimeout", "setImmediate"], "never", only("nodejs", ["floating promise"], "late")),
      `Edge: ${allOnTime} Node: ${count(2, 1)} ${notAlwaysSurviving} ${bothSurvive}`,
    ],
    [
      "a single unregistered run lost",
      only("nodejs", ["setTimeout"], "never"),
      `Edge: ${allOnTime} Node: ${count(1, 0)} ${noProof}`,
    ],
    [
      "waitUntil alone lost on the edge",
      only("edge", ["waitUntil"], "never"),
      `Edge: ${nothing("waitUntil")} ${count(0, 0)} Node: ${allOnTime}`,
    ],
    [
      "waitUntil lost like unregistered work",
      only("edge", ["waitUntil"], "never", held({ unregistered: "never" })),
      `Edge: ${nothing("waitUntil")} ${count(5, 0)} ${notSurviving} Work given to after() does. ` +
        `Node: ${count(5, 0)} ${notSurviving} ${bothSurvive}`,
    ],
    [
      "registered and unregistered work lost",
      held({ unregistered: "never", registered: "never" }),
      `${nothing("after() and waitUntil")} ${count(5, 0)} ${notSurviving}`,
    ],
    [
      "registered work unavailable and unregistered work lost",
      held({ unregistered: "never", registered: "unavailable" }),
      `${count(5, 0)} ${notSurviving}`,
    ],
    [
      "after() unavailable and unregistered work lost",
      only(
        "nodejs",
        ["after()"],
        "unavailable",
        only("edge", ["after()"], "unavailable", held({ unregistered: "never" })),
      ),
      `${count(5, 0)} ${notSurviving} Work given to waitUntil does. ${webhook}`,
    ],
    ["registered work late", held({ registered: "late" }), `${slow("after() and waitUntil")} ${count(0, 0)}`],
    [
      "everything late, which does not show that an instance was frozen",
      () => "late",
      `${slow("await, 3 s race and after() and waitUntil")} ${count(0, 5)}`,
    ],
    ["not all due", held({ unregistered: "pending" }), pending],
    [
      "not all due and waitUntil lost",
      only("edge", ["waitUntil"], "never", held({ unregistered: "pending" })),
      `Edge: ${nothing("waitUntil")} ${pending} Node: ${pending}`,
    ],
    [
      "no mark yet, and not all work due that is waited for",
      held({ unregistered: "pending", awaited: "never", registered: "pending" }),
      pending,
    ],
    ["no mark at all", () => "never", cutOff],
    ["no mark from the edge", on(() => "never", held({})), `Edge: ${cutOff} Node: ${allOnTime}`],
    [
      "no mark of the work that was due first",
      held({ unregistered: "pending", awaited: "never", registered: "never" }),
      cutOff,
    ],
    ["nothing started", () => "failed", cutOff],
    [
      "one run that could not be started",
      only("edge", ["setTimeout"], "failed"),
      "Edge: 1 of 8 runs could not be started: their requests failed or got an unexpected answer. " +
        `${count(0, 0, 4)} Node: ${allOnTime}`,
    ],
  ])("with %s", (_name, judge, conclusion) => {
    expect(conclude(judge)).toBe(conclusion);
  });

  test("leaves out a runtime without runs", () => {
    expect(explainExperiment([{ runtime: "nodejs", strategy: "waitUntil", verdict: "pending" }])).toBe(
      `Node: ${pending}`,
    );
  });
});

describe("the meaning of a lost run", () => {
  const meaningOf = (strategy: Strategy) => explainRun({ runtime: "edge", strategy, verdict: "never" });

  test("allows for a frozen instance if its work was unregistered, and not if it was registered", () => {
    expect(meaningOf("setTimeout")).toContain("a later look");
    expect(meaningOf("waitUntil")).not.toContain("a later look");
  });

  test.each<Strategy>(["await, 3 s race", "after()", "waitUntil"])("names both possible causes for %s", (strategy) => {
    expect(meaningOf(strategy)).toMatch(/no mark arrived: .+, or its mark could not reach this deployment\.$/);
  });
});
