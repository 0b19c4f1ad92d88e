import { describe, expect, test } from "vitest";

import { explainExperiment, explainRun } from "#lifecycle/explain-verdicts.ts";
import { judgeRun, type ObservedRun, type Verdict } from "#lifecycle/judge-run.ts";
import { holds, planRuns, strategies, timingDefault, toleranceMs } from "#lifecycle/strategies.ts";

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
    ["failed", "when it never got one", { status: null }, overdueMs],
    ["failed", "at once when its request failed", { status: "failed" }, 0],
    ["on time", "though its request failed, once its mark is there", { status: "failed", ...arrivedAfter(900) }, 5_000],
    ["unavailable", "where the runtime has no such thing", { status: "unavailable" }, 60_000],
  ])("%s %s", (verdict, _when, facts, nowAfterMs) => {
    expect(judgeRun({ ...run, ...facts }, startedAtMs + nowAfterMs)).toBe(verdict);
  });
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
  const conclude = (verdict: (hold: string) => Verdict) =>
    explainExperiment(strategies.map((strategy) => ({ strategy, verdict: verdict(holds[strategy]) })));

  test.each<[string, (hold: string) => Verdict, RegExp]>([
    ["all on time", () => "on time", /process looks that keeps running/],
    ["merely started work lost", (hold) => (hold === "started" ? "never" : "on time"), /does not survive the answer/],
    ["merely started work late", (hold) => (hold === "started" ? "late" : "on time"), /does not survive the answer/],
    ["not all due", (hold) => (hold === "started" ? "pending" : "on time"), /Not everything is due/],
    ["registered work lost", (hold) => (hold === "registered" ? "never" : "on time"), /RELAY_URL/],
    ["nothing begun", () => "failed", /RELAY_URL/],
    ["registered work late", (hold) => (hold === "registered" ? "late" : "on time"), /functions start slowly/],
  ])("with %s", (_name, verdict, sentence) => {
    expect(conclude(verdict)).toMatch(sentence);
  });

  test("what only sleeps is told of a lost run that was merely started, not of one that was registered", () => {
    expect(explainRun({ strategy: "setTimeout", verdict: "never" })).toContain("a later look");
    expect(explainRun({ strategy: "waitUntil", verdict: "never" })).not.toContain("a later look");
  });
});
