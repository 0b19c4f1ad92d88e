import type { Pool } from "pg";
import { expect, onTestFinished, test } from "vitest";

import type { Database } from "#store/connection/database.ts";
import { settleEvents } from "#store/handling/settle-events.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";
import { ensurePartitions, eventsPerPartition, readPartitions } from "#store/retention/partitions.ts";
import { retainDeliveries, retainEvents, rowsPerStep } from "#store/retention/retention.ts";

import { ended, settlement } from "../../support/settle.ts";
import { openTestStore, testBatch, testEvent, toStore } from "../../support/store.ts";

const dayMs = 24 * 3_600_000;

/** Events of one partition with ids from `from`, ingested so many days ago, without work or delivery. */
async function insertOld(pool: Pool, from: number, count: number, daysAgo: number): Promise<void> {
  await pool.query(
    `insert into relay.events (id, ingested_at, delivery_id, batch_index, standby, test, drifted, kind, account_id, key, data)
    select id, now() - $3 * interval '1 day', gen_random_uuid(), 0, false, false, false, 'message', '1', 'k' || id, '{}'
    from generate_series($1::bigint, $1::bigint + $2::bigint - 1) id`,
    [from, count, daysAgo],
  );
  await pool.query(
    "insert into relay.event_keys select md5('k' || id)::uuid, id from generate_series($1::bigint, $1::bigint + $2::bigint - 1) id",
    [from, count],
  );
  await pool.query("select setval('relay.event_ids', $1)", [from + count - 1]);
}

async function countRows(pool: Pool, table: string): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(`select count(*)::int as n from relay.${table}`);
  return rows[0]?.n ?? 0;
}

/** The id of a delivery of that time, a UUID of version 7. */
function idAt(ms: number): string {
  const time = ms.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7abc-8def-0123456789ab`;
}

const retain = (db: Database, days: number) => retainEvents(db, Date.now() - days * dayMs);

test("old events go: full partitions as a whole, the rest row by row; their keys stay", async () => {
  const { db, pool } = await openTestStore();
  await insertOld(pool, 10, 50, 40);
  await insertOld(pool, eventsPerPartition + 5, rowsPerStep + 100, 35);
  await insertOld(pool, eventsPerPartition + rowsPerStep + 1_000, 20, 10);
  expect(await retain(db, 30)).toEqual({ dropped: ["events_0000000000000"], deleted: rowsPerStep, postponed: [] });
  expect(await retain(db, 30)).toEqual({ dropped: [], deleted: 100, postponed: [] });
  expect(await retain(db, 30)).toEqual({ dropped: [], deleted: 0, postponed: [] });
  expect(await countRows(pool, "events")).toBe(20);
  expect(await countRows(pool, "event_keys")).toBe(rowsPerStep + 170);
  expect(await readPartitions(pool)).not.toContain("events_0000000000000");
  // The partition is not made again.
  await ensurePartitions(pool, Date.now());
  expect(await readPartitions(pool)).not.toContain("events_0000000000000");
});

test("an event that is not handled stays, and with it its partition", async () => {
  const { db, pool } = await openTestStore();
  const { leased } = await storeBatch(db, toStore(testBatch("d1", [testEvent("a"), testEvent("b")])));
  await settleEvents(db, settlement([...ended(leased.slice(0, 1), "handled"), ...ended(leased.slice(1), "dead")]));
  await pool.query("update relay.events set ingested_at = now() - interval '40 days'");
  await insertOld(pool, eventsPerPartition + 5, 1, 1);
  expect(await retain(db, 30)).toEqual({ dropped: [], deleted: 1, postponed: [] });
  const { rows } = await pool.query("select key from relay.events order by id");
  expect(rows).toEqual([{ key: "message:1:b" }, { key: `k${eventsPerPartition + 5}` }]);
});

test("a partition that is being read is dropped later, and ingestion waits no longer than the drop itself may", async () => {
  const { db, pool } = await openTestStore();
  await insertOld(pool, 10, 50, 40);
  await insertOld(pool, eventsPerPartition + 5, 1, 1);
  const reader = await pool.connect();
  onTestFinished(() => reader.release(true));
  await reader.query("begin");
  await reader.query("select count(*) from relay.events");
  const dropping = retain(db, 30);
  // The reader ends only after that, so the drop, and ingestion behind it, do not wait for it.
  expect(await storeBatch(db, toStore(testBatch("d1", [testEvent("a")])))).toMatchObject({ inserted: 1 });
  expect(await dropping).toMatchObject({ dropped: [], postponed: ["events_0000000000000"] });
  await reader.query("commit");
  expect(await retain(db, 30)).toMatchObject({ dropped: ["events_0000000000000"] });
});

test("results that arrive after their delivery has gone leave no delivery behind", async () => {
  const { db, pool } = await openTestStore();
  const oldMs = Date.now() - 100 * dayMs;
  const outcomes = ["handled", "dead"] as const;
  for (const [index, outcome] of outcomes.entries()) {
    // No partition takes the id of a delivery that old.
    const batch = toStore(testBatch(idAt(oldMs + index), [testEvent(outcome)]));
    const { leased } = await storeBatch(db, { ...batch, delivery: { ...batch.delivery, receivedAtMs: oldMs } });
    expect(await retainDeliveries(db, Date.now() - 90 * dayMs)).toMatchObject({ deleted: 1 });
    expect(await settleEvents(db, settlement(ended(leased, outcome)))).toEqual({ lost: [] });
    expect(await countRows(pool, "deliveries")).toBe(0);
  }
  expect(await countRows(pool, "event_work")).toBe(1);
  const { rows } = await pool.query("select runtime, cold from relay.measurements where runtime = ''");
  expect(rows).toEqual(outcomes.map(() => ({ runtime: "", cold: null })));
});

test("old deliveries, attempts, links and resolved dead letters go", async () => {
  const { db, pool } = await openTestStore();
  const oldMs = Date.now() - 100 * dayMs;
  const old = idAt(oldMs);
  await ensurePartitions(pool, oldMs);
  for (const id of [old, "not a uuid", "new"]) {
    const batch = toStore(testBatch(id, [testEvent("m")], [0, 1]));
    const receivedAtMs = id === "new" ? Date.now() : oldMs;
    await storeBatch(db, { ...batch, delivery: { ...batch.delivery, receivedAtMs } });
  }
  await pool.query(
    "insert into relay.handler_attempts (event_id, at, ms, attempt) select 1, at, 1, 1 from unnest($1::timestamptz[]) at",
    [[new Date(oldMs), new Date()]],
  );
  await pool.query(`insert into relay.dead_letters (source, source_id, group_id, resolved_at)
    select 'handler', n, 1, case when n < 3 then now() - n * interval '60 days' end from generate_series(1, 3) n`);
  const result = await retainDeliveries(db, Date.now() - 90 * dayMs);
  expect(result.postponed).toEqual([]);
  expect(result.dropped.map((name) => name.replace(/_\d+$/, ""))).toEqual(
    expect.arrayContaining(["deliveries", "delivery_attempts", "handler_attempts"]),
  );
  expect(await countRows(pool, "deliveries")).toBe(1);
  expect(await countRows(pool, "handler_attempts")).toBe(1);
  expect(await countRows(pool, "dead_letters")).toBe(2);
  expect(await retainDeliveries(db, Date.now() - 90 * dayMs)).toEqual({ dropped: [], deleted: 0, postponed: [] });
});
