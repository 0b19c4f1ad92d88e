import { expect, test } from "vitest";

import {
  ensurePartitions,
  eventsPerPartition,
  partitionEnd,
  partitionStart,
  readPartitions,
} from "#store/partitions.ts";
import { storeBatch } from "#store/store-batch.ts";

import { openTestStore, testBatch, testEvent, toStore } from "../support/store.ts";

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

test("where a default partition has rows already, the range's partition begins above them", async () => {
  const { db, pool } = await openTestStore();
  await pool.query("select setval('relay.event_ids', $1)", [20 * eventsPerPartition + 40]);
  await storeBatch(db, toStore(testBatch("d1", [testEvent("a")])));
  const time = Date.UTC(2031, 5, 4, 10, 15, 0, 123);
  const id = `${time
    .toString(16)
    .padStart(12, "0")
    .replace(/(.{8})/, "$1-")}-7abc-8def-0123456789ab`;
  await storeBatch(db, toStore(testBatch(id, [testEvent("a")])));
  const attempt = "insert into relay.delivery_attempts (at, ms, status) values ($1, 1, 503)";
  await pool.query(attempt, [new Date(time)]);

  const { created, defaults } = await ensurePartitions(pool, time);
  expect(created).toContain("events_0000020000042");
  expect(created).toContain("events_0000021000000");
  expect(created).toContain("deliveries_20310604t101500124");
  expect(created).toContain("delivery_attempts_20310604t101500124");
  expect(created).toContain("handler_attempts_20310602");
  expect(defaults).toEqual(["events_default", "deliveries_default", "delivery_attempts_default"]);
  expect(await ensurePartitions(pool, time)).toEqual({ created: [], defaults });

  await storeBatch(db, toStore(testBatch("d2", [testEvent("b")])));
  await pool.query(attempt, [new Date(time + 1)]);
  await pool.query(attempt, [new Date(time + weekMs)]);
  const { rows } = await pool.query(
    "select tableoid::regclass::text as part from relay.events union all (select tableoid::regclass::text from relay.delivery_attempts order by at)",
  );
  expect(rows.map(({ part }: { part: string }) => part.replace("relay.", ""))).toEqual([
    "events_0000020000042",
    "events_default",
    "delivery_attempts_default",
    "delivery_attempts_20310604t101500124",
    "delivery_attempts_20310609",
  ]);
});
