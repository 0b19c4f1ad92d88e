import * as fc from "fast-check";
import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { decodeBuckets, entriesOf } from "#measurements/bucket-bytes.ts";
import { bucketOf } from "#measurements/histogram.ts";
import { rollUp } from "#operations/roll-up.ts";
import { sumRegions } from "#operations/sum-regions.ts";
import { systemClock } from "#platform/clock.ts";
import { type Database, openDatabase } from "#store/connection/database.ts";

import { eventually } from "../support/eventually.ts";
import { openTestStore } from "../support/store.ts";
import { insertMeasurements, type MeasurementRow } from "./measurement-rows.ts";

const nowMs = Date.parse("2026-01-31T12:34:56.789Z");
const hourMs = 3_600_000;

const measurement: fc.Arbitrary<MeasurementRow> = fc.record({
  // Up to six hours late, over several minutes, hours and two days.
  at: fc.integer({ min: 0, max: 36 * hourMs }).map((ms) => new Date(nowMs - ms)),
  runtime: fc.constantFrom("edge", "nodejs"),
  region: fc.constantFrom("fra1", null),
  deployment: fc.constantFrom("dpl_1", "dpl_2", null),
  cold: fc.boolean(),
  times: fc.array(
    fc.tuple(
      fc.constantFrom("ack", "publish", "handler"),
      // Sums of these are exact in any order.
      fc.constantFrom(0, 0.5, 3, 249.75, 250, 250.25, 1_000, 1_000.5, 4_999, 5_000, 5_001, 70_000),
      fc.constantFrom(1, 10),
    ),
    { maxLength: 3 },
  ),
  deliveries: fc.nat({ max: 2 }),
});

/** What all series and tiers must hold, by counting one measurement after the other. */
function countExactly(rows: readonly MeasurementRow[]) {
  const figures = new Map<string, Record<string, number>>();
  const add = (row: MeasurementRow, metric: string, values: Record<string, number>) => {
    for (const deployment of new Set(["", row.deployment ?? ""])) {
      for (const [tier, length] of [
        ["minute", 60_000],
        ["hour", hourMs],
        ["day", 24 * hourMs],
        ["total", Infinity],
      ] as const) {
        if (tier === "total" && deployment !== "") continue;
        const at = tier === "total" ? 0 : row.at.getTime() - (row.at.getTime() % length);
        const cold = row.cold ? "cold" : "warm";
        const key = [tier, at, metric, row.runtime, row.region ?? "", deployment, cold].join(" ");
        const figure = figures.get(key) ?? {};
        for (const [name, value] of Object.entries(values)) {
          figure[name] = name === "max" ? Math.max(figure[name] ?? 0, value) : (figure[name] ?? 0) + value;
        }
        figures.set(key, figure);
      }
    }
  };
  for (const one of rows) {
    for (const [metric, ms, weight] of one.times) {
      const within = (limit: number) => (ms <= limit ? weight : 0);
      const sums = {
        count: weight,
        sum: ms * weight,
        max: ms,
        w250: within(250),
        w1000: within(1_000),
        w5000: within(5_000),
      };
      add(one, metric, { ...sums, [`bucket ${bucketOf(ms)}`]: weight });
    }
    if (one.deliveries > 0) add(one, "deliveries", { count: one.deliveries });
  }
  return sorted(figures);
}

const readAll = (db: Database) =>
  readRows(db, "region", "relay.figures join relay.measurement_series s on s.id = series_id");

/** The sums over regions, which are the figures of the same measurements if none has a region. */
const readRegionSums = (db: Database) => readRows(db, "''", "relay.region_sums");
const countRegionSums = (rows: readonly MeasurementRow[]) =>
  countExactly(rows.map((row) => ({ ...row, region: null }))).filter(([key]) => /^(hour|day) /.test(key));

async function readRows(db: Database, region: string, from: string) {
  const { rows } = await db.$client.query<{ key: string; sums: (number | null)[]; buckets: Uint8Array | null }>(
    `select concat_ws(' ', tier, (extract(epoch from at) * 1000)::bigint, metric, runtime, ${region}, deployment, cold) as key,
      array[count, sum_ms, max_ms, within_250, within_1000, within_5000] as sums, buckets
    from ${from}`,
  );
  const names = ["count", "sum", "max", "w250", "w1000", "w5000"];
  const figures = rows.map(({ key, sums, buckets }) => {
    const figure = names.map((name, index) => [name, sums[index]] as const).filter(([, value]) => value !== null);
    const filled = [...entriesOf(decodeBuckets(buckets === null ? [] : [buckets]))].map(
      ([bucket, n]) => [`bucket ${bucket}`, n] as const,
    );
    return [key, Object.fromEntries([...figure, ...filled])] as const;
  });
  return sorted(new Map(figures));
}

function sorted<T>(figures: Map<string, T>): [string, T][] {
  return [...figures].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

async function openRollUps() {
  const store = await openTestStore();
  const other = openDatabase(store.url);
  onTestFinished(() => other.close());
  const all = (db: Database) => rollUp(db, systemClock, systemClock.monotonicMs() + 60_000);
  const sum = () => sumRegions(store.db, systemClock, systemClock.monotonicMs() + 60_000);
  return { db: store.db, url: store.url, other: other.db, all, sum };
}

test("figures are the sums of all measurements, in whatever order and however late they come, with two roll-ups at once, and so are the sums over regions", async () => {
  const { db, other, all, sum } = await openRollUps();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(measurement, { maxLength: 40 }), { minLength: 1, maxLength: 4 }),
      async (parts) => {
        await db.$client.query("truncate relay.figures, relay.measurement_series, relay.measurements");
        for (const part of parts) {
          const inserting = insertMeasurements(db, part);
          await Promise.all([all(db), all(other), inserting, sum()]);
          await Promise.all([all(other), sum(), all(db)]);
        }
        await all(db);
        await sum();
        expect(await readAll(db)).toEqual(countExactly(parts.flat()));
        expect(await readRegionSums(db)).toEqual(countRegionSums(parts.flat()));
      },
    ),
    { numRuns: 25 },
  );
});

test("a roll-up whose connection is cut in the middle has changed nothing, and the next one counts all", async () => {
  const { db, url, other, all } = await openRollUps();
  const rows = fc.sample(measurement, { numRuns: 200, seed: 1 });
  await insertMeasurements(db, rows.slice(0, 100));
  await all(db);
  const before = await readAll(db);
  await insertMeasurements(db, rows.slice(100));

  const blocker = new Client({ connectionString: url });
  await blocker.connect();
  onTestFinished(() => blocker.end());
  await blocker.query("begin; lock table relay.figures in share mode");
  const cut = all(db).then(
    () => "ended",
    (thrown: unknown) => thrown,
  );
  // It has deleted the measurements by then, and waits to add them to the figures.
  await eventually("the roll-up's connection is cut", async () => {
    const { rowCount } = await other.$client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and query like 'insert into relay.figures%' and datname = current_database()",
    );
    return rowCount === 1;
  });
  expect(await cut).toMatchObject({ code: "STORE_UNAVAILABLE" });
  await blocker.query("commit");
  expect(await readAll(other)).toEqual(before);
  expect(await all(other)).toBe(100);
  expect(await readAll(other)).toEqual(countExactly(rows));
});

test("a change of figures by anyone is in the sums over regions, but not that of an hour or a day under way", async () => {
  const { db, all, sum } = await openRollUps();
  const rows = fc.sample(measurement, { numRuns: 50, seed: 3 });
  await insertMeasurements(db, rows);
  await all(db);
  expect(await sum()).toBeGreaterThan(2);
  expect(await sum()).toBe(0);
  await db.$client.query("update relay.figures set count = count * 2, buckets = null");
  await sum();
  const { rows: counts } = await db.$client.query(`select (select sum(count) from relay.region_sums) as sums,
    (select sum(count) from relay.figures where tier in ('hour', 'day')) as figures`);
  expect(counts[0]).toMatchObject({ sums: (counts[0] as { figures: number }).figures });
  const intervals = async (table: string) =>
    (
      await db.$client.query(
        `select tier, at, sum(count) as count from relay.${table} where tier in ('hour', 'day') group by 1, 2 order by 1, 2`,
      )
    ).rows;
  await db.$client.query("update relay.figures set at = at - interval '7 days' where tier = 'hour'");
  await db.$client.query("update relay.figures set tier = 'minute' where tier = 'day'");
  await sum();
  expect(await intervals("region_sums")).toEqual(await intervals("figures"));
  await db.$client.query("delete from relay.figures");
  await sum();
  expect(await readRegionSums(db)).toEqual([]);
  await insertMeasurements(db, [{ ...rows[0]!, at: new Date(), deliveries: 1 }]);
  await all(db);
  expect(await sum()).toBe(0);
});

test("an interval is not summed up while a change of its figures is not committed, so that no change is missed", async () => {
  const { db, url, all, sum } = await openRollUps();
  await insertMeasurements(
    db,
    fc.sample(measurement, { numRuns: 1, seed: 3 }).map((row) => ({ ...row, deliveries: 1 })),
  );
  await all(db);
  const stranger = new Client({ connectionString: url });
  await stranger.connect();
  onTestFinished(() => stranger.end());
  await stranger.query("begin; update relay.figures set count = count + 1, buckets = null where tier = 'hour'");
  expect(await sum()).toBe(1);
  await stranger.query("commit");
  expect(await sum()).toBe(1);
  const { rows: counts } = await db.$client.query<{ sums: number; figures: number }>(
    `select (select sum(count) from relay.region_sums where tier = 'hour') as sums,
      (select sum(count) from relay.figures where tier = 'hour') as figures`,
  );
  expect(counts[0]?.sums).toBe(counts[0]?.figures);
});

test("while one roll-up is at work another one leaves it alone", async () => {
  const { db, url, all } = await openRollUps();
  const holder = new Client({ connectionString: url });
  await holder.connect();
  onTestFinished(() => holder.end());
  await holder.query("begin; select pg_advisory_xact_lock(7340121)");
  await insertMeasurements(db, fc.sample(measurement, { numRuns: 3, seed: 2 }));
  expect(await all(db)).toBe(0);
  await holder.query("commit");
  expect(await all(db)).toBe(3);
});

test("more measurements than one step takes are rolled up until the deadline", async () => {
  const { db, all } = await openRollUps();
  const rows = Array.from({ length: 4_500 }, (_, index) => ({
    at: new Date(nowMs - index),
    runtime: "edge",
    region: null,
    deployment: null,
    cold: false,
    times: [["ack", 1, 1]] as MeasurementRow["times"],
    deliveries: 1,
  }));
  await insertMeasurements(db, rows);
  expect(await rollUp(db, systemClock, systemClock.monotonicMs())).toBe(0);
  expect(await all(db)).toBe(4_500);
  expect(await readAll(db)).toEqual(countExactly(rows));
});
