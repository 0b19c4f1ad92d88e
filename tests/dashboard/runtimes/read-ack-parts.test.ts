import { expect, test } from "vitest";

import { readAckParts } from "#dashboard/runtimes/read-ack-parts.ts";
import { readRuntimesPage } from "#dashboard/runtimes/read-runtimes-page.ts";
import { rollUp } from "#operations/roll-up.ts";
import { systemClock } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";

import { insertMeasurements, type MeasurementRow } from "../../operations/measurement-rows.ts";
import { createRecordingLog } from "../../support/recording-log.ts";
import { openTestStore } from "../../support/store.ts";

const nowMs = Date.parse("2026-01-31T12:34:56.789Z");
const everything = { region: null, deployment: null, cold: "all" } as const;

/** Deliveries whose ack took so long. */
function acks(ms: readonly number[], row: Partial<MeasurementRow> = {}): MeasurementRow[] {
  return ms.map((each) => ({
    at: new Date(nowMs - 3_600_000),
    runtime: "edge",
    region: "fra1",
    deployment: "dpl_1",
    cold: false,
    times: [["ack", each, 1]],
    deliveries: 1,
    ...row,
  }));
}

async function addUp(db: Database, rows: readonly MeasurementRow[]): Promise<void> {
  await insertMeasurements(db, rows);
  await rollUp(db, systemClock, systemClock.monotonicMs() + 30_000);
}

test("the acks of both runtimes are told apart by region and start, those of the busiest first", async () => {
  const { db } = await openTestStore();
  await addUp(db, [
    ...acks([3, 3, 4]),
    ...acks([40], { cold: true }),
    ...acks([5, 5], { runtime: "nodejs" }),
    ...acks([7, 7], { region: null, deployment: "dpl_2" }),
    ...acks([9], { at: new Date(nowMs - 48 * 3_600_000) }),
  ]);
  const parts = await readAckParts(db, "24h", everything, nowMs);
  expect(parts.map(({ region, start, edge, node }) => [region, start, edge?.count, node?.count])).toEqual([
    ["fra1", "warm", 3, 2],
    [null, "warm", 2, undefined],
    ["fra1", "cold", 1, undefined],
  ]);
  const [first] = parts;
  expect(first?.edge?.max).toBe(4);
  expect(Math.abs((first?.edge?.p50 ?? 0) / 3 - 1)).toBeLessThan(0.011);
  expect(Math.abs((first?.node?.p99 ?? 0) / 5 - 1)).toBeLessThan(0.011);
});

test("region, deployment and start narrow the parts down", async () => {
  const { db } = await openTestStore();
  await addUp(db, [
    ...acks([3]),
    ...acks([4], { region: "iad1", deployment: "dpl_2" }),
    ...acks([40], { cold: true, deployment: "dpl_2" }),
  ]);
  const regionsOf = async (filter: Parameters<typeof readAckParts>[2]) =>
    (await readAckParts(db, "24h", filter, nowMs)).map(({ region, start }) => `${region} ${start}`);
  expect(await regionsOf({ ...everything, region: "iad1" })).toEqual(["iad1 warm"]);
  expect(await regionsOf({ ...everything, cold: "cold" })).toEqual(["fra1 cold"]);
  expect((await regionsOf({ ...everything, deployment: "dpl_2" })).toSorted()).toEqual(["fra1 cold", "iad1 warm"]);
});

test("pairs that began cold are judged apart, if the page is not of one kind of start alone", async () => {
  const { db } = await openTestStore();
  await db.$client.query(
    `insert into relay.probe_pairs (id, at, burst, vantage, edge_ms, node_ms, first, canary, idle_edge_ms, idle_node_ms)
    select gen_random_uuid(), to_timestamp($1) - n * interval '4 minutes', gen_random_uuid(), 'laptop',
      100 + n % 7, 300 + n % 11, 'edge', false, idle.ms, idle.ms
    from generate_series(1, 200) n, lateral (select case when n % 2 = 0 then 3600000 else 60000 end as ms) idle`,
    [nowMs / 1_000],
  );
  const options = { nowMs, isEmulated: false, rollUp: async () => {}, log: createRecordingLog().log };
  const page = await readRuntimesPage(db, { window: "24h", ...everything }, options);
  expect(page.comparison.verdict).toMatchObject({ start: "warm", pairs: 100 });
  expect(page.coldVerdict).toMatchObject({ start: "cold", pairs: 100 });
  const cold = await readRuntimesPage(db, { window: "24h", ...everything, cold: "cold" }, options);
  expect([cold.comparison.verdict.start, cold.coldVerdict]).toEqual(["cold", null]);
});
