import { describe, expect, test } from "vitest";

import { answerCron } from "#operations/answer-maintenance.ts";
import { createMaintenanceParts } from "#operations/maintenance-parts.ts";
import { ensureSchedule, readSchedule } from "#operations/maintenance-schedule.ts";
import { type PartResult, type MaintenancePart, runMaintenance } from "#operations/maintenance.ts";
import { changePause, readPause } from "#operations/pause.ts";
import { systemClock } from "#platform/clock.ts";
import { createQstashApi } from "#platform/qstash-api.ts";
import { queueCapabilities } from "#queue/capabilities.ts";
import { ifQstashIsUsed } from "#queue/qstash/qstash-in-use.ts";
import { createQstashPause } from "#queue/qstash/qstash-pause.ts";
import { openPauseOf } from "#queue/queue-pause.ts";
import { readParts } from "#store/operators/maintenance-parts.ts";

import { createGate, eventually as until } from "../broker/test-broker.ts";
import { createHandling, ingest } from "../support/handling.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";
import { endLeases, readKeys, readWork } from "../support/work.ts";
import { startRig } from "./rig.ts";

const names = [
  "partitions",
  "roll-up",
  "sweep",
  "replays",
  "drain",
  "dead-letters",
  "groups",
  "counts",
  "drift",
  "pause",
  "retention",
];

describe("maintenance", () => {
  test("does every part and records what it did", async () => {
    const rig = await startRig();
    await ingest(
      testBatch("d1", [testEvent("a")]),
      createHandling(rig.db, (_event, { count }) => count("seen")),
    );
    const result = await rig.maintain();
    expect(result.parts.map(({ name }) => name)).toEqual(names);
    expect(result).toMatchObject({ ok: true });
    expect(result.parts.find(({ name }) => name === "counts")).toMatchObject({ result: { folded: 1 } });
    const parts = await readParts(rig.db);
    expect(parts.map(({ name }) => name)).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(parts.every(({ errorName, ms }) => errorName === null && ms >= 0)).toBe(true);
  });

  test("has no parts of QStash's with a queue that has neither dead letters nor a pause", async () => {
    const rig = await startRig();
    let wakes = 0;
    const parts = createMaintenanceParts({
      operations: rig.operations,
      api: ifQstashIsUsed({ QSTASH_TOKEN: " " }, "vercel", () => rig.api),
      pause: openPauseOf(null, queueCapabilities.vercel),
      relayUrls: [rig.url],
      retention: { payloadDays: 0, deliveryDays: 90 },
      wakeDrain: () => void (wakes += 1),
    });
    expect(parts.map(({ name }) => name)).toEqual(names.filter((name) => !["dead-letters", "pause"].includes(name)));
    // A wake by the webhook may be lost: this one finds what it left.
    await parts.find(({ name }) => name === "drain")?.run(Infinity, null);
    expect(wakes).toBe(1);
    // After a switch, what was published before is looked after while the token is set.
    expect(ifQstashIsUsed({ QSTASH_TOKEN: "token" }, "vercel", () => rig.api)).toBe(rig.api);
  });

  test("publishes what a lost message or a dead process has left open, once", async () => {
    const rig = await startRig();
    const publisher = { publish: () => Promise.reject(new Error("QStash is down")) };
    const work = { ...createHandling(rig.db, () => Promise.reject(new Error("no"))), publisher };
    await ingest(testBatch("d1", [testEvent("failed"), testEvent("other", { senderId: "b" })]), work);
    await rig.pool.query("update relay.event_work set next_attempt_at = now()");
    await endLeases(rig.pool);
    const [one, two] = await Promise.all([rig.maintain(), rig.maintain()]);
    const published = [...(one?.parts ?? []), ...(two?.parts ?? [])].flatMap((part) =>
      part.name === "sweep" && "result" in part ? [part.result["published"]] : [],
    );
    expect(published.reduce((sum: number, count) => sum + Number(count), 0)).toBe(2);
    await until(() => readKeys(rig.pool, "handled")).toEqual(["message:1:failed", "message:1:other"]);
    expect(await readWork(rig.pool)).toEqual([]);
  });

  test("leaves what QStash does not take to the next call", async () => {
    const rig = await startRig();
    const publisher = { publish: () => Promise.reject(new Error("QStash is down")) };
    await ingest(testBatch("d1", [testEvent("a")]), {
      ...createHandling(rig.db, () => Promise.reject(new Error("no"))),
      publisher,
    });
    await rig.pool.query("update relay.event_work set next_attempt_at = now()");
    await rig.broker.stop(0);
    expect((await rig.maintain()).parts).toMatchObject([
      { name: "partitions" },
      { name: "roll-up" },
      { name: "sweep", result: { published: 0, left: 1 } },
      { name: "replays" },
      { name: "drain" },
      { name: "dead-letters", error: "QSTASH_UNAVAILABLE" },
      { name: "groups" },
      { name: "counts" },
      { name: "drift" },
      { name: "pause", error: "QSTASH_UNAVAILABLE" },
      { name: "retention" },
    ]);
    expect(await readWork(rig.pool)).toMatchObject([{ queuedFor: null }]);
  });

  test("goes on after a part that fails, and leaves a part to the process that runs it", async () => {
    const { db } = await openTestStore();
    const { log, of } = createRecordingLog();
    const gate = createGate();
    const waiting: MaintenancePart = { name: "slow", run: () => gate.response.then(() => ({})) };
    const failing: MaintenancePart = {
      name: "failing",
      run: () => Promise.reject(new TypeError("a customer's words")),
    };
    const options = { db, clock: systemClock, log };
    const first = runMaintenance({ ...options, parts: [waiting] });
    await until(async () => (await readParts(db)).map(({ ms }) => ms)).toEqual([-1]);
    const second = await runMaintenance({ ...options, parts: [failing, waiting] });
    expect(second).toMatchObject({
      ok: false,
      parts: [
        { name: "failing", error: "TypeError" },
        { name: "slow", skipped: "running elsewhere" },
      ],
    });
    gate.open();
    expect(await first).toMatchObject({ ok: true });
    expect((await readParts(db)).map(({ name, errorName }) => [name, errorName])).toEqual([
      ["failing", "TypeError"],
      ["slow", null],
    ]);
    expect(JSON.stringify(of("maintenance.part_failed"))).not.toContain("customer");
  });
});

describe("answerCron()", () => {
  const secret = "a-secret-of-vercel-cron";
  const call = (authorization: string) => new Request("http://localhost/", { headers: { authorization } });
  const run = () => Promise.resolve({ ok: true, ms: 1, parts: [] });
  const { log } = createRecordingLog();

  test("answers what maintenance did to the holder of CRON_SECRET, and 401 to others", async () => {
    const options = { readSecret: () => secret, run, log };
    const response = await answerCron(call(`Bearer ${secret}`), options);
    expect([response.status, await response.json()]).toEqual([200, { ok: true, ms: 1, parts: [] }]);
    for (const wrong of ["", "Bearer ", `Bearer ${secret}x`, `Basic ${secret}`]) {
      expect((await answerCron(call(wrong), options)).status).toBe(401);
    }
  });

  test("answers 503 if no part could do anything", async () => {
    const failed = { name: "sweep", ms: 1, error: "STORE_UNAVAILABLE" };
    const late = { name: "groups", skipped: "no time left" } as const;
    const done = { name: "counts", ms: 1, result: {} };
    const statusOf = async (parts: PartResult[]) => {
      const ended = () => Promise.resolve({ ok: false, ms: 1, parts });
      return (await answerCron(call(`Bearer ${secret}`), { readSecret: () => secret, run: ended, log })).status;
    };
    expect(await statusOf([failed])).toBe(503);
    expect(await statusOf([failed, late])).toBe(503);
    expect(await statusOf([failed, done])).toBe(200);
  });

  test("answers 503 without CRON_SECRET", async () => {
    const response = await answerCron(call("Bearer "), { readSecret: () => null, run, log });
    expect([response.status, await response.json()]).toMatchObject([503, { error: { code: "ENV_INVALID" } }]);
  });
});

test("the schedule is made once, corrected when it calls another relay or is paused, and has maintenance called", async () => {
  const rig = await startRig();
  const { api, client } = rig;
  const options = { relayUrl: rig.url, bypassSecret: null };
  expect(await readSchedule(api, options)).toBeNull();
  expect(await ensureSchedule(api, { ...options, relayUrl: "https://other.example" })).toBe("created");
  expect((await readSchedule(api, options))?.problems).toEqual([
    "it calls https://other.example/api/qstash/maintenance",
  ]);
  expect(await ensureSchedule(api, options)).toBe("corrected");
  expect(await ensureSchedule(api, options)).toBe("unchanged");
  await client.schedules.pause({ schedule: "relay-maintenance" });
  expect(await ensureSchedule(api, options)).toBe("corrected");
  expect(await readSchedule(api, options)).toMatchObject({ isPaused: false, cron: "*/5 * * * *", problems: [] });
  // Of the embedded QStash twenty seconds pass in one.
  await until(() => rig.calls).toEqual([{ path: "/api/qstash/maintenance", body: "", status: 200 }]);
}, 40_000);

test("ingestion is paused and resumed at QStash, which holds the batches back meanwhile", async () => {
  const rig = await startRig();
  const queue = createQstashPause(rig.api, 10);
  const options = { db: rig.db, queue, nowMs: Date.now(), log: rig.operations.log };
  expect(await readPause(options)).toEqual({
    paused: false,
    since: null,
    waiting: 0,
    pausable: true,
    obstacle: null,
  });
  const paused = await changePause(true, options);
  expect(paused).toMatchObject({ paused: true, waiting: 0 });
  await rig.client.publish({
    url: `${rig.url}/api/qstash/instagram-ingestion`,
    body: JSON.stringify(testBatch("d1", [testEvent("a")])),
    flowControl: { key: "instagram", parallelism: 10 },
  });
  await until(() => readPause({ ...options, nowMs: Date.now() + 60_000 })).toEqual({ ...paused, waiting: 1 });
  expect(await readKeys(rig.pool, "stored")).toEqual([]);
  expect(await changePause(false, options)).toMatchObject({ paused: false, since: null });
  await until(() => readKeys(rig.pool, "stored")).toEqual(["message:1:a"]);
});

test("ingestion without a flow-control key cannot be paused, and what is wrong with QStash is said", async () => {
  const rig = await startRig();
  const options = { db: rig.db, queue: createQstashPause(rig.api, null), nowMs: Date.now(), log: rig.operations.log };
  await expect(changePause(true, options)).rejects.toMatchObject({ code: "NOT_PAUSABLE" });
  const network = { fetch, clock: systemClock, timeoutMs: 1_000 };
  const api = createQstashApi({ url: rig.broker.url, token: "wrong", ...network });
  await expect(readPause({ ...options, queue: createQstashPause(api, null) })).rejects.toMatchObject({
    code: "QSTASH_UNAVAILABLE",
    message: "QStash answered 401",
  });
  const silent = { ...options, queue: createQstashPause(() => Promise.reject(new Error("no answer")), 10) };
  await expect(changePause(true, silent)).rejects.toMatchObject({
    code: "QSTASH_UNAVAILABLE",
    message: "QStash cannot be reached, and may still do it: ask with relay pause --status",
  });
});
