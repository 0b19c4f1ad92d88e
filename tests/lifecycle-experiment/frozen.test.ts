/** The built routes on hosts that freeze a function as soon as no registered work is left. */
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";

import { readLifecycle } from "#dashboard/diagnostics/read-lifecycle.ts";
import type { PlannedRun, Strategy } from "#lifecycle-experiment/experiment.ts";
import type { Runtime } from "#platform/delivery.ts";
import { signInternal } from "#platform/internal-signature.ts";
import { openDatabase, type OpenDatabase } from "#store/connection/database.ts";
import { createLifecycleExperiment, saveLifecycleStart } from "#store/operators/save-lifecycle.ts";

import { openEdgeInstance } from "../hosts/edge-instance.ts";
import type { FunctionInstance } from "../hosts/function-host.ts";
import { openNodeInstance } from "../hosts/node-instance.ts";
import { eventually } from "../support/eventually.ts";
import { createMigratedDatabase, type TestDatabase } from "../support/postgres.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const folder = fileURLToPath(new URL("../..", import.meta.url));
const secret = "relay-secret-of-thirty-two-characters";

let database: TestDatabase;
let store: OpenDatabase;
/** Receives the marks, in a process that keeps running. */
let server: TestServer;

beforeAll(async () => {
  database = await createMigratedDatabase();
  store = openDatabase(database.url);
  server = await startTestServer({ env: { DATABASE_URL: database.url, RELAY_SECRET: secret } });
});
afterAll(async () => {
  await server.stop();
  await store.close();
  await database.drop();
});

async function open(runtime: Runtime): Promise<FunctionInstance> {
  // An empty module: these functions need no preload.
  const preload = "data:text/javascript,";
  const env = { RELAY_URL: server.baseUrl, RELAY_SECRET: secret };
  const path = "/api/internal/lifecycle";
  const instance =
    runtime === "edge"
      ? await openEdgeInstance({ preload, buildFolder: `${folder}.next/`, path: `${path}/edge`, env })
      : await openNodeInstance({ preload, folder, path: `${path}/node`, env });
  onTestFinished(() => instance.end());
  return instance;
}

/** Starts a run on an instance of its own and resolves when the instance is frozen. */
async function begin(experimentId: string, run: PlannedRun): Promise<FunctionInstance> {
  const instance = await open(run.runtime);
  const startedAtMs = Date.now();
  const { strategy, dueAfterMs } = run;
  const body = new TextEncoder().encode(JSON.stringify({ experimentId, strategy, dueAfterMs }));
  const purpose = `POST /api/internal/lifecycle/${run.runtime === "edge" ? "edge" : "node"}`;
  const headers = { "x-relay-signature": await signInternal(secret, purpose, body, startedAtMs) };
  const { status, rest } = instance.send({ method: "POST", query: "", headers, body });
  expect([await status, await rest]).toEqual([200, "frozen"]);
  const answered = { status: "started", startedAtMs, region: null, answerMs: null } as const;
  await saveLifecycleStart(store.db, experimentId, { ...run, ...answered });
  return instance;
}

/** Windows cannot stop a process by a signal. */
const runtimes: Runtime[] = process.platform === "win32" ? ["edge"] : ["edge", "nodejs"];

test.each(runtimes)(
  "on %s unregistered work is never done, or late once a request wakes the instance; registered work is on time",
  async (runtime) => {
    const id = `frozen_${runtime}`;
    const plan = (strategy: Strategy, dueAfterMs: number): PlannedRun => ({ runtime, strategy, dueAfterMs });
    // Late enough that each instance is frozen by then, also where four that start share a busy machine.
    const unregisteredMs = 3_000;
    const started = plan("floating promise", unregisteredMs);
    const runs = [started, plan("setTimeout", unregisteredMs), plan("after()", 300), plan("waitUntil", 300)];
    await createLifecycleExperiment(store.db, { id, startedAtMs: Date.now(), runs });
    const [instance] = await Promise.all(runs.map((run) => begin(id, run)));

    const read = () => readLifecycle(store.db, id, Date.now());
    const verdicts = async () => (await read()).runs.map(({ strategy, verdict }) => `${strategy}: ${verdict}`);
    await eventually("all missing marks are overdue", async () => (await read()).lookAgainAt === null);
    expect(await verdicts()).toEqual([
      "setTimeout: never",
      "floating promise: never",
      "after(): on time",
      "waitUntil: on time",
    ]);
    expect((await read()).conclusion).toContain("does not survive the answer");

    // Each further request wakes the frozen instance, until that request has been answered.
    const isLate = async () => {
      await instance?.send({ method: "GET", query: "", headers: {} }).rest;
      return (await verdicts()).includes("floating promise: late");
    };
    await eventually("the floating promise is late", isLate);
    expect(await verdicts()).toContain("setTimeout: never");
  },
  40_000,
);
