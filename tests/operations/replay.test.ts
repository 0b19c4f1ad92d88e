import { describe, expect, test } from "vitest";

import { readDescribedReplay } from "#operations/describe-replay.ts";
import { planReplay } from "#operations/plan-replay.ts";
import { advanceReplay } from "#operations/advance-replay.ts";
import { planRequest } from "#operations/replay-request.ts";
import { beginReplay, cancelReplay } from "#operations/start-replay.ts";
import * as v from "valibot";

import { createGate, eventually as until } from "../broker/test-broker.ts";
import { ingest, createHandling } from "../support/handling.ts";
import { testBatch, testEvent } from "../support/store.ts";
import { readTries, readWork } from "../support/work.ts";
import { type Rig, startRig } from "./rig.ts";

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `m${String(index).padStart(3, "0")}`);

/** Stores events whose handlers fail for good, so that each is a dead letter. */
async function storeDead({ db }: Pick<Rig, "db">, mids: readonly string[], deliveryId = "d1"): Promise<void> {
  const fail = createHandling(db, () => {
    throw new TypeError("no");
  });
  await ingest(
    testBatch(
      deliveryId,
      mids.map((mid) => testEvent(mid, { senderId: `from ${mid}` })),
    ),
    {
      ...fail,
      retries: 0,
    },
  );
}

const request = (filter: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  v.parse(planRequest, { filter, reason: "mended", ...more });

async function ended({ db }: Pick<Rig, "db">, id: string) {
  await until(async () => (await readDescribedReplay(db, id)).state).toMatch(/finished|cancelled/);
  return readDescribedReplay(db, id);
}

describe("a replay", () => {
  test("runs all dead letters of an error, and resolves them and their group", async () => {
    const rig = await startRig();
    const { pool, operations } = rig;
    await storeDead(rig, numbered(30));
    expect(await readWork(pool)).toHaveLength(30);
    const plan = await planReplay(request({ error: "TypeError", state: "dead" }), "ops", operations);
    expect(plan).toMatchObject({
      state: "planned",
      count: 30,
      batches: 0,
      byKind: { message: 30 },
      byState: { dead: 30 },
      byAge: { lt24h: 0, lt7d: 0, older: 30 },
      qstashMessages: 5,
    });
    expect(plan["sample"]).toHaveLength(10);
    expect(JSON.stringify(plan)).not.toContain("customer");
    await beginReplay(plan.id, undefined, operations);
    expect(await ended(rig, plan.id)).toMatchObject({ state: "finished", done: 30, failed: 0, skipped: 0, pending: 0 });
    expect(await readWork(pool)).toEqual([]);
    const { rows } = await pool.query(
      "select g.state, g.resolved_by, count(*)::int from relay.dead_letter_groups g join relay.dead_letters l on l.group_id = g.id where l.resolved_at is not null group by 1, 2",
    );
    expect(rows).toEqual([{ state: "resolved", resolved_by: plan.id, count: 30 }]);
    expect((await readTries(pool)).filter(({ replayId }) => replayId === plan.id)).toHaveLength(30);
    expect(rig.recording.of("replay.finished")).toHaveLength(1);
  });

  test("spreads the messages of a step evenly over it, for queues that hold no rate", async () => {
    const rig = await startRig();
    await storeDead(rig, numbered(440));
    const delays: unknown[] = [];
    const { publish } = rig.operations.publisher;
    rig.operations.publisher = {
      publish: (message, timeoutMs) => {
        if (message.to === "handlers") delays.push(message.flowControl?.delayMs);
        return publish(message, timeoutMs);
      },
    };
    const plan = await planReplay(request({ state: "dead" }, { ratePerMinute: 2_400 }), "ops", rig.operations);
    await beginReplay(plan.id, undefined, rig.operations);
    await ended(rig, plan.id);
    expect(delays).toEqual([0, 0, 5_000, 10_000]);
  });

  test("stops after the first twenty if more than half of them fail", async () => {
    const rig = await startRig({
      message: () => {
        throw new TypeError("still");
      },
    });
    await storeDead(rig, numbered(40));
    const plan = await planReplay(request({ state: "dead" }), "ops", rig.operations);
    await beginReplay(plan.id, undefined, rig.operations);
    expect(await ended(rig, plan.id)).toMatchObject({
      state: "cancelled",
      stoppedBecause: "20 of the first 20 events failed",
      done: 0,
      failed: 20,
      skipped: 20,
    });
    expect((await readWork(rig.pool)).map(({ state }) => state)).toEqual(Array(40).fill("dead"));
  });

  test("runs each event once though its messages and its steps are delivered twice", async () => {
    const seen: string[] = [];
    const rig = await startRig({ message: ({ key }) => void seen.push(key) });
    await storeDead(rig, numbered(30));
    const plan = await planReplay(request({ state: "dead" }), "ops", rig.operations);
    await beginReplay(plan.id, undefined, rig.operations);
    await ended(rig, plan.id);
    const repeated = rig.calls.filter(({ path }) => path !== "/api/qstash/instagram-failure");
    for (const { path, body } of repeated) await rig.client.publish({ url: `${rig.url}${path}`, body, retries: 0 });
    await until(() => rig.calls.length).toBe(repeated.length * 2);
    expect(seen.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(numbered(30).map((mid) => `message:1:${mid}`));
    expect(await readDescribedReplay(rig.db, plan.id)).toMatchObject({ done: 30, failed: 0, skipped: 0 });
  });

  test("of handled events runs them again, once the number is confirmed, and says so to the handler", async () => {
    const seen: unknown[] = [];
    const rig = await startRig({ message: (_event, { replay, attempt }) => void seen.push({ replay, attempt }) });
    const { operations, db, pool } = rig;
    await ingest(testBatch("d1", [testEvent("a"), testEvent("b")]), createHandling(db));
    const plan = await planReplay(request({ deliveryId: "d1" }, { mode: "again" }), "ops", operations);
    expect(plan).toMatchObject({ count: 2, byState: { handled: 2 } });
    await expect(beginReplay(plan.id, undefined, operations)).rejects.toMatchObject({
      code: "CONFLICT",
      message: 'Confirm the number of events with "confirmCount": 2',
    });
    await beginReplay(plan.id, 2, operations);
    expect(await ended(rig, plan.id)).toMatchObject({ state: "finished", done: 2, failed: 0, skipped: 0 });
    const replay = { id: plan.id, mode: "again", reason: "mended" };
    expect(seen).toEqual([
      { replay, attempt: 1 },
      { replay, attempt: 1 },
    ]);
    expect(await readWork(pool)).toEqual([]);
  });

  test("in mode unfinished leaves handled events alone", async () => {
    const rig = await startRig();
    await ingest(testBatch("d1", [testEvent("a")]), createHandling(rig.db));
    expect(await planReplay(request({ kind: "message" }), "ops", rig.operations)).toMatchObject({ count: 0 });
  });

  test("that is cancelled takes back what has not begun", async () => {
    const gate = createGate();
    const rig = await startRig({ message: () => gate.response.then(() => {}) });
    await storeDead(rig, numbered(10));
    await ingest(testBatch("d2", [testEvent("handled")]), createHandling(rig.db));
    const { id } = await planReplay(request({ kind: "message" }, { mode: "again" }), "ops", rig.operations);
    rig.answers.set("/api/qstash/handlers", () => new Response(null, { status: 503 }));
    await beginReplay(id, 11, rig.operations);
    await until(async () => (await readDescribedReplay(rig.db, id)).pending).toBe(11);
    expect(await cancelReplay(id, "ops", rig.operations)).toMatchObject({
      state: "cancelled",
      stoppedBecause: "cancelled by ops",
      done: 0,
      skipped: 11,
    });
    expect((await readWork(rig.pool)).map(({ state }) => state)).toEqual(Array(10).fill("dead"));
    await expect(cancelReplay(id, "ops", rig.operations)).rejects.toMatchObject({ code: "CONFLICT" });
    gate.open();
  });

  test("goes on from its cursor after whatever advanced it has died", async () => {
    const rig = await startRig();
    await storeDead(rig, numbered(30));
    const { id } = await planReplay(request({ state: "dead" }), "ops", rig.operations);
    rig.answers.set("/api/qstash/maintenance", () => new Response());
    await beginReplay(id, undefined, rig.operations);
    await until(() => rig.calls.length).toBe(1);
    await rig.pool.query("update relay.replays set heartbeat_at = now() - interval '3 minutes'");
    expect(await readDescribedReplay(rig.db, id)).toMatchObject({ state: "stalled" });
    rig.answers.clear();
    await rig.maintain();
    expect(await ended(rig, id)).toMatchObject({ state: "finished", done: 30 });
  });

  test("goes on when QStash delivers again what a process took that died", async () => {
    const rig = await startRig();
    await storeDead(rig, numbered(30));
    const { id } = await planReplay(request({ state: "dead" }), "ops", rig.operations);
    rig.answers.set("/api/qstash/maintenance", () => new Response(null, { status: 503 }));
    await beginReplay(id, undefined, rig.operations);
    await until(() => rig.calls.length).toBe(1);
    // As the process left it.
    await rig.pool.query("update relay.replays set heartbeat_at = heartbeat_at + interval '1 millisecond'");
    rig.answers.clear();
    expect(await ended(rig, id)).toMatchObject({ state: "finished", done: 30 });
  });

  test("that meets another one leaves it the events that wait for it", async () => {
    const seen: string[] = [];
    const rig = await startRig({ message: ({ key }) => void seen.push(key) });
    await storeDead(rig, numbered(15));
    const plans = [];
    for (let time = 0; time < 2; time += 1) {
      plans.push(await planReplay(request({ state: "dead" }), "ops", rig.operations));
    }
    await Promise.all(plans.map(({ id }) => beginReplay(id, undefined, rig.operations)));
    const ends = [];
    for (const { id } of plans) ends.push(await ended(rig, id));
    expect(seen).toHaveLength(15);
    expect(ends.reduce((sum, { done }) => sum + done, 0)).toBe(15);
    expect(ends.map(({ done, skipped }) => done + skipped)).toEqual([15, 15]);
  });

  test("takes the conditions of the list of events", async () => {
    const rig = await startRig();
    const fail = createHandling(rig.db, () => {
      throw new TypeError("no");
    });
    const events = [testEvent("a", { test: true }), testEvent("b", { standby: true }), testEvent("c")];
    await ingest(testBatch("d1", events), { ...fail, retries: 0 });
    const count = async (filter: Record<string, unknown>) =>
      (await planReplay(request(filter), "ops", rig.operations)).count;
    expect(await count({ test: true })).toBe(1);
    expect(await count({ test: false, standby: false, drifted: false })).toBe(1);
    expect(await count({ runtime: "edge" })).toBe(3);
    expect(await count({ runtime: "nodejs" })).toBe(0);
    expect(await count({ state: "handled" })).toBe(0);
    await rig.pool.query("update relay.event_work set state = 'open', first_failed_at = null, deaths = 1");
    expect(await count({ state: "retrying" })).toBe(3);
    await rig.pool.query(
      "update relay.handler_attempts set replay_id = 'rp_1' where event_id = (select min(id) from relay.events)",
    );
    expect(await count({ replay: "rp_1" })).toBe(1);
  });

  test("runs once though it is started twice at once, and in mode again not beside another one of the same events", async () => {
    const seen: string[] = [];
    const rig = await startRig({ message: ({ key }) => void seen.push(key) });
    const { operations, db } = rig;
    await ingest(testBatch("d1", [testEvent("a"), testEvent("b")]), createHandling(db));
    const plan = () => planReplay(request({ deliveryId: "d1" }, { mode: "again" }), "ops", operations);
    const [one, other] = [await plan(), await plan()];
    const starts = await Promise.allSettled([one, one, other].map(({ id }) => beginReplay(id, 2, operations)));
    expect(starts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const reasons = starts.flatMap((start) => (start.status === "rejected" ? [start.reason as unknown] : []));
    expect(reasons).toEqual([
      expect.objectContaining({ code: "CONFLICT", message: expect.stringMatching(/watch it/) as unknown }),
      expect.objectContaining({ code: "CONFLICT", message: expect.stringMatching(/watch it/) as unknown }),
    ]);
    const [started] = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
    await ended(rig, started?.id ?? "");
    expect(seen).toHaveLength(2);
  });

  test("is refused once the set has grown by more than a tenth, or its plan has expired, or it has begun", async () => {
    const rig = await startRig();
    await storeDead(rig, numbered(5));
    const to = "2999-01-01T00:00:00Z";
    const grown = await planReplay(request({ state: "dead", to }), "ops", rig.operations);
    await rig.pool.query("update relay.replays set event_id_max = 1000000");
    await storeDead(rig, ["x", "y"], "d2");
    await expect(beginReplay(grown.id, undefined, rig.operations)).rejects.toMatchObject({
      code: "CONFLICT",
      message: "The set has grown from 5 to 7 since the plan: plan the replay again",
    });
    const late = { ...rig.operations, clock: { ...rig.operations.clock, nowMs: () => Date.now() + 16 * 60_000 } };
    const expired = await planReplay(request({ state: "dead" }), "ops", rig.operations);
    await expect(beginReplay(expired.id, undefined, late)).rejects.toMatchObject({ code: "CONFLICT" });
    await beginReplay(expired.id, undefined, rig.operations);
    await expect(beginReplay(expired.id, undefined, rig.operations)).rejects.toMatchObject({ code: "CONFLICT" });
    await ended(rig, expired.id);
  });

  test("classifies unknown events again, which keep their keys and ids", async () => {
    const seen: unknown[] = [];
    const rig = await startRig({
      message: ({ id, key, data }) => void seen.push([id, key, data]),
      comment: ({ key, data }) => void seen.push([key, data]),
    });
    const unknown = (mid: string, data: object) =>
      testEvent(mid, { kind: "unknown", key: `unknown:${mid}`, data: data as never });
    const message = { sender: { id: "7" }, recipient: { id: "1" }, message: { mid: "mid.1", text: "hi" } };
    const comment = { id: "c1", text: "nice", from: { id: "8", username: "u" }, media: { id: "9" } };
    await ingest(
      testBatch("d1", [
        unknown("a", message),
        unknown("b", { field: "comments", value: comment }),
        unknown("c", { something: { new: true } }),
      ]),
      createHandling(rig.db),
    );
    const plan = await planReplay(request({ unknown: true }), "ops", rig.operations);
    expect(plan).toMatchObject({ count: 2, byKind: { message: 1, comment: 1 } });
    await beginReplay(plan.id, undefined, rig.operations);
    expect(await ended(rig, plan.id)).toMatchObject({ state: "finished", done: 2, failed: 0, skipped: 0 });
    expect(seen).toEqual(
      expect.arrayContaining([
        [1, "unknown:a", message],
        ["unknown:b", comment],
      ]),
    );
    const { rows } = await rig.pool.query("select key, kind, sender_id from relay.events order by id");
    expect(rows).toEqual([
      { key: "unknown:a", kind: "message", sender_id: "7" },
      { key: "unknown:b", kind: "comment", sender_id: "8" },
      { key: "unknown:c", kind: "unknown", sender_id: "user" },
    ]);
  });
});

test("a replay's step does nothing under another heartbeat than the newest", async () => {
  const rig = await startRig();
  await storeDead(rig, ["a"]);
  const { id } = await planReplay(request({ state: "dead" }), "ops", rig.operations);
  expect(await advanceReplay({ version: 1, replay: id, heartbeat: 0 }, true, rig.operations)).toMatchObject({
    advanced: false,
  });
});

describe("the request for a plan", () => {
  test.each([
    ["no condition", {}],
    ["an unknown condition", { acount: "1" }],
    ["an empty list of ids", { ids: [] }],
    ["another state", { state: "erased" }],
    ["unknown: false", { unknown: false }],
    ["a time without its offset", { from: "2026-01-01T00:00:00" }],
    ["a time whose offset is no time", { from: "2026-01-01T00:00:00+23" }],
    ["a year that Postgres does not know", { from: "0000-01-01T00:00:00Z" }],
  ])("is refused with %s", (_name, filter) => {
    expect(v.safeParse(planRequest, { filter, reason: "x" }).success).toBe(false);
  });

  test("is refused without a reason, and with a member that is not known", () => {
    expect(v.safeParse(planRequest, { filter: { kind: "message" } }).success).toBe(false);
    expect(v.safeParse(planRequest, { filter: { kind: "message" }, reason: "x", more: 1 }).success).toBe(false);
  });
});
