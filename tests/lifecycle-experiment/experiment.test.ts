/** The experiment on the built server, which keeps running, so that every mark arrives. */
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { LifecycleExperiment } from "#dashboard/diagnostics/read-lifecycle.ts";
import type { StartedRun } from "#lifecycle-experiment/experiment.ts";
import { strategies } from "#lifecycle-experiment/strategies.ts";

import { eventually } from "../support/eventually.ts";
import { createMigratedDatabase, type TestDatabase } from "../support/postgres.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const bearer = { authorization: "Bearer ops-token-of-thirty-two-characters" };
const absentOnTheEdge = ["setImmediate", "process.nextTick"];

let database: TestDatabase;
let server: TestServer;

beforeAll(async () => {
  database = await createMigratedDatabase();
  server = await startTestServer({
    env: (baseUrl) => ({
      DATABASE_URL: database.url,
      OPS_TOKEN: "ops-token-of-thirty-two-characters",
      RELAY_SECRET: "relay-secret-of-thirty-two-characters",
      RELAY_URL: baseUrl,
    }),
  });
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

const call = (path: string, init?: RequestInit) => fetch(`${server.baseUrl}/api/${path}`, init);
const start = (body: string | null, headers: Record<string, string> = bearer) =>
  call("diagnostics/lifecycle", { method: "POST", body, headers });

async function read(id: string): Promise<LifecycleExperiment> {
  return (await (await call(`diagnostics/lifecycle/${id}`, { headers: bearer })).json()) as LifecycleExperiment;
}

test("on a process that keeps running, the work of every available strategy is done on time", async () => {
  const starting = start('{ "earlyMs": 100, "lateMs": 300 }');
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const isUnderWay = async () => (await client.query("select from relay.lifecycle_experiments")).rowCount === 1;
  await eventually("the experiment is under way", isUnderWay);
  await client.end();
  // Its requests would wake the instances that the first experiment observes as frozen.
  const second = await start(null);
  expect([second.status, await second.json()]).toMatchObject([409, { error: { code: "EXPERIMENT_RUNNING" } }]);

  const response = await starting;
  expect(response.status).toBe(200);
  const started = (await response.json()) as { id: string; startedAt: string; runs: StartedRun[] };
  expect(started.runs).toHaveLength(2 * strategies.length);
  const unavailable = started.runs.filter(({ status }) => status === "unavailable");
  expect(unavailable.map(({ runtime, strategy }) => [runtime, strategy])).toEqual(
    absentOnTheEdge.map((strategy) => ["edge", strategy]),
  );
  const statuses = new Set(started.runs.map(({ status }) => status));
  expect([...statuses].toSorted()).toEqual(["started", "unavailable"]);
  // The first fix makes the sender wait for the work, for up to 3 s.
  const answerMsOf = (wanted: string) =>
    started.runs.find(({ runtime, strategy }) => runtime === "edge" && strategy === wanted)?.answerMs ?? 0;
  expect(answerMsOf("await, 3 s race")).toBeGreaterThanOrEqual(100);
  expect(answerMsOf("await, 3 s race, slow work")).toBeGreaterThanOrEqual(2_900);
  expect(answerMsOf("waitUntil")).toBeLessThan(answerMsOf("await, 3 s race, slow work"));

  const experiment = await eventually("every run is judged", async () => {
    const found = await read(started.id);
    return found.lookAgainAt === null && found;
  });
  expect(experiment).toMatchObject({ id: started.id, startedAt: started.startedAt });
  expect(experiment.runs.map(({ runtime, strategy, verdict }) => [runtime, strategy, verdict])).toEqual(
    started.runs.map(({ runtime, strategy, status }) => [
      runtime,
      strategy,
      status === "unavailable" ? "unavailable" : "on time",
    ]),
  );
  const onTime = experiment.runs.filter(({ verdict }) => verdict === "on time");
  expect(onTime.filter(({ arrivedAfterMs, dueAfterMs }) => (arrivedAfterMs ?? 0) < dueAfterMs - 5)).toEqual([]);
  expect(experiment.conclusion).toContain("keeps running");
});

describe("a call is refused", () => {
  test("without the token", async () => {
    expect((await start(null, {})).status).toBe(401);
    expect((await call("diagnostics/lifecycle/any")).status).toBe(401);
  });

  test("by the internal routes without a valid signature", async () => {
    const body = '{"experimentId":"e_1","runtime":"edge","strategy":"waitUntil","dueAfterMs":0}';
    const headers = { "x-relay-signature": `t=${Math.floor(Date.now() / 1_000)},v1=${"0".repeat(64)}` };
    for (const path of ["internal/lifecycle/edge", "internal/lifecycle/node", "internal/lifecycle-marks"]) {
      expect((await call(path, { method: "POST", body })).status).toBe(401);
      expect((await call(path, { method: "POST", body, headers })).status).toBe(401);
      const refused = await call(path);
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "POST"]);
    }
  });

  test("with another method", async () => {
    const begin = await call("diagnostics/lifecycle", { headers: bearer });
    expect([begin.status, begin.headers.get("allow")]).toEqual([405, "POST"]);
    const look = await call("diagnostics/lifecycle/any", { method: "POST", headers: bearer });
    expect([look.status, look.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});

test.each(["{", "null", "[]", '{ "lateMs": 60000 }', '{ "earlyMs": 3000 }', '{ "later": 1 }'])(
  "%s is refused as a timing",
  async (body) => {
    const response = await start(body);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: "REQUEST_INVALID" } }]);
  },
);

test("an unknown experiment is not found", async () => {
  const response = await call("diagnostics/lifecycle/unknown", { headers: bearer });
  expect([response.status, await response.json()]).toMatchObject([404, { error: { code: "NOT_FOUND" } }]);
});

test("without the variables it needs every route answers 503, and the public one names them", async () => {
  const bare = await startTestServer({
    env: { OPS_TOKEN: "ops-token-of-thirty-two-characters", DATABASE_URL: database.url },
  });
  try {
    const url = `${bare.baseUrl}/api`;
    const response = await fetch(`${url}/diagnostics/lifecycle`, { method: "POST", headers: bearer });
    expect([response.status, await response.text()]).toEqual([503, expect.stringMatching(/RELAY_URL.*RELAY_SECRET/)]);
    for (const path of ["lifecycle/edge", "lifecycle/node", "lifecycle-marks"]) {
      expect((await fetch(`${url}/internal/${path}`, { method: "POST", body: "{}" })).status).toBe(503);
    }
  } finally {
    await bare.stop();
  }
});
