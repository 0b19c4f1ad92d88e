import { expect, test } from "vitest";

import { readLifecycle, readLifecycles } from "#dashboard/diagnostics/read-lifecycle.ts";
import type { PlannedRun, StartedRun, Strategy } from "#lifecycle-experiment/experiment.ts";
import { unansweredMs } from "#lifecycle-experiment/judge-run.ts";
import { toleranceMs } from "#lifecycle-experiment/strategies.ts";
import { createLifecycleExperiment, saveLifecycleMark, saveLifecycleStart } from "#store/operators/save-lifecycle.ts";

import { openTestStore } from "../support/store.ts";

const startedAtMs = 1_700_000_000_000;
const planned = (runtime: "edge" | "nodejs", strategy: Strategy, dueAfterMs: number): PlannedRun => ({
  runtime,
  strategy,
  dueAfterMs,
});
const started = (run: PlannedRun): StartedRun => ({
  ...run,
  status: "started",
  startedAtMs: startedAtMs + 200,
  region: "iad1",
  answerMs: 210,
});

const floating = planned("edge", "floating promise", 9_000);
const registered = planned("nodejs", "waitUntil", 1_000);
const unavailable = planned("edge", "setImmediate", 9_000);

test("the verdicts change as time passes and marks arrive", async () => {
  const { db } = await openTestStore();
  await createLifecycleExperiment(db, { id: "e_1", startedAtMs, runs: [registered, floating, unavailable] });
  // A quick mark arrives before the answer to the request that started its work.
  const mark = { experimentId: "e_1", runtime: registered.runtime, strategy: registered.strategy };
  expect(await saveLifecycleMark(db, mark, startedAtMs + 1_300)).toBe(true);
  for (const run of [registered, floating]) await saveLifecycleStart(db, "e_1", started(run));
  await saveLifecycleStart(db, "e_1", { ...started(unavailable), status: "unavailable" });

  const early = await readLifecycle(db, "e_1", startedAtMs + 3_000);
  expect(early).toMatchObject({
    id: "e_1",
    startedAt: new Date(startedAtMs).toISOString(),
    lookAgainAt: new Date(startedAtMs + 200 + 9_000 + toleranceMs).toISOString(),
    runs: [
      { runtime: "edge", strategy: "setImmediate", verdict: "unavailable", arrivedAfterMs: null },
      { runtime: "edge", strategy: "floating promise", verdict: "pending", region: "iad1", answerMs: 210 },
      { runtime: "nodejs", strategy: "waitUntil", verdict: "on time", dueAfterMs: 1_000, arrivedAfterMs: 1_100 },
    ],
  });

  const verdictOf = async (nowMs: number) => (await readLifecycle(db, "e_1", nowMs)).runs[1]?.verdict;
  expect(await verdictOf(startedAtMs + 60_000)).toBe("never");
  const woken = { experimentId: "e_1", runtime: floating.runtime, strategy: floating.strategy };
  expect(await saveLifecycleMark(db, woken, startedAtMs + 60_100)).toBe(true);
  expect(await saveLifecycleMark(db, woken, startedAtMs + 90_000)).toBe(false);
  const late = await readLifecycle(db, "e_1", startedAtMs + 90_000);
  expect(late).toMatchObject({ lookAgainAt: null, runs: [{}, { verdict: "late", arrivedAfterMs: 59_900 }, {}] });
});

test("a run without an answer stays pending until no answer can arrive any more", async () => {
  const { db } = await openTestStore();
  await createLifecycleExperiment(db, { id: "e_1", startedAtMs, runs: [registered] });
  const lookAgainAtMs = startedAtMs + unansweredMs;
  expect(await readLifecycle(db, "e_1", lookAgainAtMs - 1)).toMatchObject({
    lookAgainAt: new Date(lookAgainAtMs).toISOString(),
    conclusion: "Node: Not everything is due yet.",
    runs: [{ status: null, verdict: "pending" }],
  });
  expect(await readLifecycle(db, "e_1", lookAgainAtMs)).toMatchObject({
    lookAgainAt: null,
    conclusion: expect.stringMatching(/^Node: No mark arrived\./),
    runs: [{ status: null, verdict: "failed" }],
  });
});

test("no second experiment starts while work of one is still due, not even at the same time", async () => {
  const { db } = await openTestStore();
  const create = (id: string, atMs: number) =>
    createLifecycleExperiment(db, { id, startedAtMs: atMs, runs: [registered, floating] });
  const both = await Promise.allSettled([create("e_1", startedAtMs), create("e_2", startedAtMs + 10)]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  await expect(create("e_3", startedAtMs + 10_900)).rejects.toMatchObject({ code: "EXPERIMENT_RUNNING" });
  await create("e_4", startedAtMs + 11_100);
});

test("the newest twenty experiments are kept; the others are gone, and their marks change nothing", async () => {
  const { db } = await openTestStore();
  for (let index = 0; index < 22; index += 1) {
    await createLifecycleExperiment(db, {
      id: `e_${index}`,
      startedAtMs: startedAtMs + index * 60_000,
      runs: [registered],
    });
  }
  const kept = await readLifecycles(db, 100);
  expect(kept.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, index) => `e_${21 - index}`));
  const forgotten = { experimentId: "e_1", runtime: registered.runtime, strategy: registered.strategy };
  expect(await saveLifecycleMark(db, forgotten, startedAtMs)).toBe(false);
  for (const id of ["e_1", "unknown", "\0"]) {
    await expect(readLifecycle(db, id, startedAtMs)).rejects.toMatchObject({ code: "NOT_FOUND" });
  }
});
