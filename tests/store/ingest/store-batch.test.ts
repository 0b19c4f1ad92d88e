import { Client } from "pg";
import { describe, expect, onTestFinished, test } from "vitest";

import type { InstagramEvent } from "#instagram/events.ts";
import type { ForwardReport } from "#measurements/report.ts";
import { findStoreFault } from "#store/connection/find-store-fault.ts";
import { type Database, openDatabase } from "#store/connection/database.ts";
import { saveDeliveryAttempt } from "#store/deliveries/delivery-attempts.ts";
import { saveReports } from "#store/deliveries/save-reports.ts";
import { settleEvents } from "#store/handling/settle-events.ts";
import { deliveryUuid } from "#store/ingest/delivery-uuid.ts";
import { type StoredBatch, storeBatch } from "#store/ingest/store-batch.ts";

import { eventually } from "../../support/eventually.ts";
import { ended, settlement } from "../../support/settle.ts";
import { openTestStore, testBatch, testEvent, toStore } from "../../support/store.ts";

const numbered = (count: number) => Array.from({ length: count }, (_, index) => testEvent(`m${index}`));
const sum = (stored: readonly StoredBatch[], of: "inserted" | "duplicates") =>
  stored.reduce((total, one) => total + one[of], 0);

describe("several consumers at once", () => {
  test("store one batch once, and only one of them runs each handler", async () => {
    const { db, pool } = await openTestStore();
    const batch = toStore(testBatch("d1", numbered(100)));
    const stored = await Promise.all(Array.from({ length: 10 }, () => storeBatch(db, batch)));
    expect([sum(stored, "inserted"), sum(stored, "duplicates")]).toEqual([100, 900]);
    expect(stored.filter(({ repeated }) => !repeated)).toHaveLength(1);
    const ids = stored.flatMap(({ leased }) => leased.map(({ id }) => id));
    expect([ids.length, new Set(ids).size]).toEqual([100, 100]);
    const { rows } = await pool.query("select inserted, duplicates, batches from relay.deliveries");
    expect(rows).toEqual([{ inserted: 100, duplicates: 0, batches: 1 }]);
    expect(await countRows(db, "duplicate_events")).toBe(0);
  });

  test("store deliveries with common events in any order without a deadlock", async () => {
    const { db } = await openTestStore();
    const all = numbered(150);
    for (let round = 0; round < 3; round++) {
      const stored = await Promise.all(
        Array.from({ length: 12 }, (_, index) => {
          const turned = [...all.slice(index * 11), ...all.slice(0, index * 11)].slice(0, 100);
          return storeBatch(
            db,
            toStore(testBatch(`d${round}-${index}`, index % 2 === 0 ? turned : turned.toReversed())),
          );
        }),
      );
      expect(sum(stored, "inserted") + sum(stored, "duplicates")).toBe(1_200);
    }
    expect(await countRows(db, "events")).toBe(150);
    expect(await countRows(db, "event_work")).toBe(150);
  });
});

test.each(["read committed", "repeatable read"])(
  "a batch whose delivery's row another transaction is making completes the row (%s)",
  async (isolation) => {
    const { db, pool, url } = await openTestStore();
    const name = new URL(url).pathname.slice(1);
    await pool.query(`alter database ${name} set default_transaction_isolation = '${isolation}'`);
    const other = new Client({ connectionString: url });
    await other.connect();
    onTestFinished(() => other.end());
    await other.query("begin");
    await other.query(
      `insert into relay.deliveries (id, received_at, body_bytes, cold_start, probe, runtime, outcome, reported_at)
      values ($1, now(), 1, false, false, 'edge', 'published', now())`,
      [deliveryUuid("d1")],
    );
    // On a connection of the changed setting.
    const { db: changed, close } = openDatabase(url);
    onTestFinished(close);
    const stored = storeBatch(changed, toStore(testBatch("d1", numbered(2))));
    await eventually("the batch waits for the row", async () => {
      const { rows } = await pool.query(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      return rows.length === 1;
    });
    await other.query("commit");
    expect(await stored).toMatchObject({ inserted: 2, repeated: false });
    const { rows } = await db.$client.query("select via, inserted, outcome from relay.deliveries");
    expect(rows).toEqual([{ via: "queue", inserted: 2, outcome: "published" }]);
    expect(await countRows(db, "event_work")).toBe(2);
  },
);

test("before the migration that makes its functions nothing is stored, and the store says that it cannot write", async () => {
  const { db, pool } = await openTestStore();
  expect(await findStoreFault(pool)).toBeNull();
  await pool.query("alter function relay.ingest rename to ingest_to_come");
  await expect(storeBatch(db, toStore(testBatch("d1", numbered(1))))).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
  });
  expect(await findStoreFault(pool)).toMatchObject({ detail: "damaged", isDown: true });
});

test("events have ids in the order of the batch, so that a conversation keeps its order", async () => {
  const { db } = await openTestStore();
  const { leased } = await storeBatch(db, toStore(testBatch("d1", numbered(50))));
  expect(leased.map(({ key }) => key)).toEqual(numbered(50).map(({ key }) => key));
  expect(leased[0]).toMatchObject({
    fence: 1,
    attempt: 1,
    deaths: 0,
    conversation: "1:user",
    batchIndex: 0,
    replay: null,
  });
});

test("an event is linked to the delivery that brought it and to four more", async () => {
  const { db, pool } = await openTestStore();
  for (let index = 0; index < 8; index++) {
    await storeBatch(db, toStore(testBatch(`d${index}`, [testEvent("m")])));
    // A repetition by QStash is no further delivery.
    expect(await storeBatch(db, toStore(testBatch(`d${index}`, [testEvent("m")])))).toMatchObject({ repeated: true });
  }
  const { rows } = await pool.query<{ id: string }>("select delivery_id as id from relay.duplicate_events order by 1");
  expect(rows.map(({ id }) => id)).toEqual(["d1", "d2", "d3", "d4"].map(deliveryUuid).toSorted());
});

test("a repetition by QStash links what a call that ended between its statements did not", async () => {
  const { db, pool } = await openTestStore();
  const batch = toStore(testBatch("d1", [testEvent("m1"), testEvent("m2")]));
  await storeBatch(db, toStore(testBatch("d0", [testEvent("m1")])));
  await storeBatch(db, batch);
  await pool.query("delete from relay.duplicate_events");
  await storeBatch(db, batch);
  const { rows } = await pool.query(
    "select e.key from relay.duplicate_events d join relay.events e on e.id = event_id",
  );
  expect(rows).toEqual([{ key: testEvent("m1").key }]);
});

test("a call that brings a batch again counts its events, by the way of the batch's first call and its own", async () => {
  const { db, pool } = await openTestStore();
  await storeBatch(db, toStore(testBatch("d1", numbered(3))));
  await storeBatch(db, { ...toStore(testBatch("d2", [testEvent("other")])), via: "fallback" });
  await pool.query("delete from relay.measurements");
  const again = { batchIndex: 0, atMs: 1, ms: 1, errorCode: null, messageId: null, deployment: null };
  for (const [deliveryId, retried, status, duplicates] of [
    ["d1", 1, 200, 3],
    ["d1", null, 200, 2],
    ["d2", 0, 200, 1],
    ["d1", 2, 503, 0],
    ["unknown", 0, 200, 1],
  ] as const) {
    await saveDeliveryAttempt(db, { ...again, deliveryId, retried, status, duplicates });
  }
  const { rows } = await pool.query<{ facts: unknown }>("select facts from relay.measurements");
  expect(rows.map(({ facts }) => facts)).toEqual(
    [
      [3, "qstash"],
      [2, "fallback"],
      [1, "fallback"],
    ].map((counted) => ({ counts: [["duplicates", ...counted]] })),
  );
});

describe("a delivery's row", () => {
  const report: ForwardReport = {
    deliveryId: "d1",
    runtime: "edge",
    region: "fra1",
    deployment: "dpl_1",
    coldStart: false,
    receivedAtMs: 1_700_000_001_000,
    bodyBytes: 100,
    secretIndex: 0,
    probe: false,
    events: 1,
    outcome: "published",
    ackMs: 4,
    publishMs: 30,
    publishedAtMs: 1_700_000_001_030,
    attempts: 1,
    timeouts: 0,
    errorType: null,
    messageIds: ["msg_1"],
    sampleRate: 1,
    ackInBatch: false,
  };

  test.each(["before", "after"])("has report and batch if the report comes %s the batch", async (when) => {
    const { db, pool } = await openTestStore();
    if (when === "before") await saveReports(db, [report], 1_700_000_005_000);
    expect(await storeBatch(db, toStore(testBatch("d1", [testEvent("m")])))).toMatchObject({ repeated: false });
    if (when === "after") await saveReports(db, [report], 1_700_000_005_000);
    const { rows } = await pool.query(
      "select via, inserted, batches, outcome, deployment, ack_ms, publish_ms, message_ids, message_id from relay.deliveries",
    );
    const ofReport = { outcome: "published", deployment: "dpl_1", ack_ms: 4, publish_ms: 30, message_ids: ["msg_1"] };
    expect(rows).toEqual([{ ...ofReport, via: "queue", inserted: 1, batches: 1, message_id: "msg_1" }]);
  });

  /** Stores one of three batches; resolves with what settles it. */
  async function ingestPart(db: Database, index: number) {
    const { leased } = await storeBatch(db, toStore(testBatch("d1", [testEvent(`m${index}`)], [index, 3])));
    return () => settleEvents(db, settlement(ended(leased, "handled")));
  }

  test.each([
    ["in order", [0, 1, 2]],
    ["backwards", [2, 1, 0]],
  ])("of three batches that come %s is handled when the last of their events is", async (_name, order) => {
    const { db } = await openTestStore();
    const handled: boolean[] = [];
    for (const index of order) {
      const settle = await ingestPart(db, index);
      await settle();
      handled.push(await isHandled(db));
    }
    expect(handled).toEqual([false, false, true]);
  });

  test("of three batches that come at once is handled when the last of their events is", async () => {
    const { db } = await openTestStore();
    const settles = await Promise.all([0, 1, 2].map((index) => ingestPart(db, index)));
    expect(await isHandled(db)).toBe(false);
    await Promise.all(settles.map((settle) => settle()));
    expect(await isHandled(db)).toBe(true);
  });

  test("is handled at once if it brought nothing new, even if the last batch is the one that brought nothing", async () => {
    const { db } = await openTestStore();
    const first = await storeBatch(db, toStore(testBatch("d0", [testEvent("m")])));
    await settleEvents(db, settlement(ended(first.leased, "handled")));
    await storeBatch(db, toStore(testBatch("d1", [testEvent("m")])));
    expect(await isHandled(db)).toBe(true);
    const { leased } = await storeBatch(db, toStore(testBatch("d2", [testEvent("new")], [0, 2])));
    await settleEvents(db, settlement(ended(leased, "handled")));
    expect(await isHandled(db, "d2")).toBe(false);
    await storeBatch(db, toStore(testBatch("d2", [testEvent("m")], [1, 2])));
    expect(await isHandled(db, "d2")).toBe(true);
  });

  test("is handled when two calls settle its last events at the same moment", async () => {
    const { db, pool } = await openTestStore();
    for (let round = 0; round < 10; round++) {
      const events: InstagramEvent[] = [testEvent(`a${round}`), testEvent(`b${round}`)];
      const { leased } = await storeBatch(db, toStore(testBatch(`r${round}`, events)));
      // As for events that were leased again: two messages may bring them.
      await pool.query("update relay.event_work set fence = 2");
      const again = leased.map((event) => ({ ...event, fence: 2, attempt: 2 }));
      await Promise.all(again.map((event) => settleEvents(db, settlement(ended([event], "handled")))));
      expect(await isHandled(db, `r${round}`)).toBe(true);
    }
  });

  test.each(["read committed", "repeatable read"])(
    "is handled when its last event is settled before a batch without new events is committed (%s)",
    async (isolation) => {
      const { db, pool, url } = await openTestStore();
      const before = await storeBatch(db, toStore(testBatch("d0", [testEvent("known")])));
      await settleEvents(db, settlement(ended(before.leased, "handled")));
      const { leased } = await storeBatch(db, toStore(testBatch("d1", [testEvent("new")], [0, 2])));
      const name = new URL(url).pathname.slice(1);
      await pool.query(`alter database ${name} set default_transaction_isolation = '${isolation}'`);
      const { db: changed, close } = openDatabase(url);
      onTestFinished(close);
      const client = await changed.$client.connect();
      await client.query("begin");
      const inTransaction = { $client: client } as unknown as Database;
      await storeBatch(inTransaction, toStore(testBatch("d1", [testEvent("known")], [1, 2])));
      let isSettled = false;
      const settling = settleEvents(changed, settlement(ended(leased, "handled"))).finally(() => (isSettled = true));
      await eventually("the settlement waits for the batch", async () => {
        const { rowCount } = await pool.query(
          "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        );
        return isSettled || rowCount === 1;
      });
      await client.query("commit");
      client.release();
      await settling;
      expect(await isHandled(db)).toBe(true);
    },
  );
});

async function isHandled(db: Database, id = "d1"): Promise<boolean> {
  const { rows } = await db.$client.query<{ handled: boolean }>(
    "select handled_at is not null as handled from relay.deliveries where id = $1",
    [deliveryUuid(id)],
  );
  return rows[0]?.handled === true;
}

test("a delivery is stored with the trace of its call, unless the trace has the delivery's own id", async () => {
  const { db, pool } = await openTestStore();
  const own = "019c1410-4b00-7000-8000-000000000001";
  const other = "019c1410-4b00-7000-8000-000000000002";
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  await storeBatch(db, { ...toStore(testBatch(own, numbered(1))), traceId: own.replaceAll("-", "") });
  await storeBatch(db, { ...toStore(testBatch(other, numbered(2))), traceId });
  const { rows } = await pool.query(
    "select replace(trace_id::text, '-', '') as trace from relay.deliveries order by id",
  );
  expect(rows).toEqual([{ trace: null }, { trace: traceId }]);
});

async function countRows(db: Database, table: string): Promise<number> {
  const { rows } = await db.$client.query<{ count: number }>(`select count(*)::int as count from relay.${table}`);
  return rows[0]?.count ?? 0;
}
