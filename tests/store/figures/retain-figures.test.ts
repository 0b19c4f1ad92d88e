import { expect, test } from "vitest";

import { rollUp } from "#operations/roll-up.ts";
import { systemClock } from "#platform/clock.ts";
import { retainFigures } from "#store/figures/retain-figures.ts";

import { insertMeasurements } from "../../operations/measurement-rows.ts";
import { openTestStore } from "../../support/store.ts";

const dayMs = 24 * 3_600_000;
const nowMs = Date.parse("2026-06-30T12:00:00.000Z");

test("minutes go after three days, hours and the days of deployments later; days of all and totals stay", async () => {
  const { db, pool } = await openTestStore();
  const row = (daysAgo: number, deployment: string) => ({
    at: new Date(nowMs - daysAgo * dayMs),
    runtime: "edge",
    region: "fra1",
    deployment,
    cold: false,
    times: [],
    deliveries: 1,
  });
  await insertMeasurements(db, [row(1, "new"), row(4, "new"), row(100, "old"), row(500, "older")]);
  await rollUp(db, systemClock, Infinity);
  const kept = async () => {
    const { rows } = await pool.query<{ tier: string; of: string; n: number }>(
      `select tier, deployment as of, sum(count)::int as n from relay.figures join relay.measurement_series s on s.id = series_id
      group by 1, 2 order by 1, 2`,
    );
    return rows.map(({ tier, of, n }) => `${n} ${tier} ${of}`.trim());
  };
  // Two minutes and their hours of deployments, and of all; the deployments' days, and their series.
  expect(await retainFigures(db, 90, nowMs)).toBeGreaterThan(0);
  expect(await kept()).toEqual(["4 day", "2 day new", "2 hour", "2 hour new", "1 minute", "1 minute new", "4 total"]);
  expect(await retainFigures(db, 90, nowMs)).toBe(0);
  const { rows } = await pool.query("select deployment from relay.measurement_series order by 1");
  expect(rows).toEqual([{ deployment: "" }, { deployment: "new" }]);
  // A shorter retention keeps what the longest window shows.
  expect(await retainFigures(db, 1, nowMs)).toBe(0);
  await insertMeasurements(db, [row(500, "older")]);
  await rollUp(db, systemClock, Infinity);
  expect((await kept()).at(-1)).toBe("5 total");
});
