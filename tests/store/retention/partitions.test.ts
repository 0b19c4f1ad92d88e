import type { Pool } from "pg";
import { expect, test } from "vitest";

import { storeBatch } from "#store/ingest/store-batch.ts";
import {
  ensurePartitions,
  eventsPerPartition,
  partitionEnd,
  partitionStart,
  readPartitions,
} from "#store/retention/partitions.ts";

import { openTestStore, testBatch, testEvent, toStore } from "../../support/store.ts";

const weekMs = 7 * 24 * 3_600_000;
const nextYear = Date.UTC(2031, 5, 4, 10);

test("partitions are made ahead, once, by several calls at once", async () => {
  const { pool } = await openTestStore();
  const before = await readPartitions(pool);
  const results = await Promise.all(Array.from({ length: 4 }, () => ensurePartitions(pool, nextYear)));
  const after = await readPartitions(pool);
  expect(after.filter((name) => !before.includes(name))).toEqual(
    ["deliveries", "delivery_attempts", "handler_attempts"].flatMap((table) =>
      ["20310526", "20310602", "20310609", "20310616"].map((week) => `${table}_${week}`),
    ),
  );
  expect(results.map(({ defaults }) => defaults)).toEqual([[], [], [], []]);
  expect(await ensurePartitions(pool, nextYear)).toEqual({ created: [], defaults: [] });
});

test("names say where a partition begins and ends", () => {
  expect(partitionStart("events_0000003000000")).toBe(3 * eventsPerPartition);
  expect(partitionStart("events_default")).toBe(null);
  expect(partitionStart("deliveries_20310602")).toBe(Date.UTC(2031, 5, 2));
  expect(partitionStart("deliveries_20310604t101500123")).toBe(Date.UTC(2031, 5, 4, 10, 15, 0, 123));
  expect(partitionEnd("deliveries_20310602")).toBe(Date.UTC(2031, 5, 9));
  expect(partitionEnd("deliveries_20310604t101500123")).toBe(Date.UTC(2031, 5, 9));
});

test("events go to the next partition as their ids rise", async () => {
  const { db, pool } = await openTestStore();
  await pool.query("select setval('relay.event_ids', $1)", [9 * eventsPerPartition - 2]);
  await ensurePartitions(pool, Date.now());
  const events = ["a", "b", "c"].map((mid) => testEvent(mid));
  await storeBatch(db, toStore(testBatch("d1", events)));
  const { rows } = await pool.query(
    "select tableoid::regclass::text as part, count(*)::int from relay.events group by 1 order by 1",
  );
  expect(rows).toEqual([
    { part: "relay.events_0000008000000", count: 1 },
    { part: "relay.events_0000009000000", count: 2 },
  ]);
});

/** Rows that no partition but the default ones takes: `count` of each table, a millisecond or an id apart. */
async function fillDefaults({ pool }: { pool: Pool }, count: number): Promise<void> {
  await pool.query("select setval('relay.event_ids', $1)", [firstId + count]);
  await pool.query(
    `insert into relay.events (id, ingested_at, delivery_id, batch_index, standby, test, drifted, kind, account_id, key, data)
     select $1::bigint + i, now(), gen_random_uuid(), 0, false, false, false, 'message', '1', 'key-' || i, '{}'
     from generate_series(1, $2::int) i`,
    [firstId, count],
  );
  await pool.query(
    `insert into relay.deliveries (id, received_at, body_bytes, cold_start, probe, runtime)
     select (lpad(to_hex($1::bigint + i), 12, '0') || '7abc8def0123456789ab')::uuid, now(), 1, false, false, 'edge'
     from generate_series(1, $2::int) i`,
    [time, count],
  );
  await pool.query(
    `insert into relay.delivery_attempts (at, ms, status)
     select timestamptz 'epoch' + ($1::bigint + i) * interval '1 millisecond', 1, 503 from generate_series(1, $2::int) i`,
    [time, count],
  );
}

const firstId = 20 * eventsPerPartition + 40;
const time = Date.UTC(2031, 5, 4, 10, 15, 0, 123);

async function countByPartition({ pool }: { pool: Pool }) {
  const { rows } = await pool.query<{ part: string; count: number }>(
    ["events", "deliveries", "delivery_attempts"]
      .map((table) => `select tableoid::regclass::text as part, count(*)::int from relay.${table} group by 1`)
      .join(" union all "),
  );
  return Object.fromEntries(rows.map(({ part, count }) => [part.replace("relay.", ""), count]));
}

test("a few rows that a default partition has of a range are moved into the range's partition", async () => {
  const store = await openTestStore();
  await fillDefaults(store, 3);
  const { created, defaults } = await ensurePartitions(store.pool, time);
  const partitions = ["events_0000020000000", "deliveries_20310602", "delivery_attempts_20310602"];
  expect(created).toEqual(expect.arrayContaining(partitions));
  expect(defaults).toEqual([]);
  expect(await countByPartition(store)).toEqual(Object.fromEntries(partitions.map((name) => [name, 3])));
});

test("where a default partition has many rows of a range, the range's partition begins above them", async () => {
  const store = await openTestStore();
  await fillDefaults(store, 1_001);
  const { created, defaults } = await ensurePartitions(store.pool, time);
  expect(created).toContain("events_0000020001042");
  expect(created).toContain("events_0000021000000");
  expect(created).toContain("deliveries_20310604t101501125");
  expect(created).toContain("delivery_attempts_20310604t101501125");
  expect(created).toContain("handler_attempts_20310602");
  expect(defaults).toEqual(["events_default", "deliveries_default", "delivery_attempts_default"]);
  expect(await ensurePartitions(store.pool, time)).toEqual({ created: [], defaults });

  await storeBatch(store.db, toStore(testBatch("d2", [testEvent("b")])));
  const attempt = "insert into relay.delivery_attempts (at, ms, status) values ($1, 1, 503)";
  for (const at of [time + 1_002, time + weekMs]) await store.pool.query(attempt, [new Date(at)]);
  expect(await countByPartition(store)).toEqual({
    events_default: 1_001,
    events_0000020001042: 1,
    deliveries_default: 1_002,
    delivery_attempts_default: 1_001,
    delivery_attempts_20310604t101501125: 1,
    delivery_attempts_20310609: 1,
  });
});
