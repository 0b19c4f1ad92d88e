import { expect, test } from "vitest";

import type { Measurement } from "#measurements/measurement.ts";
import { sumFigures } from "#measurements/sum-figures.ts";

const measurement = (index: number, rest: Partial<Measurement> = {}): Measurement => ({
  atMs: 1_700_000_000_000,
  runtime: "edge",
  region: `region ${index}`,
  deployment: `dpl_${index}`,
  cold: false,
  probe: false,
  facts: { counts: [["error", 1, `ERROR_${index}`]] },
  firstFacts: null,
  ingestMs: null,
  inserted: null,
  ...rest,
});

test("names without number are bounded, and lose no count", () => {
  const figures = sumFigures(
    Array.from({ length: 50 }, (_, index) => measurement(index)),
    [],
    10,
  );
  const total = figures.filter(({ tier }) => tier === "total");
  expect(total.reduce((sum, { count }) => sum + count, 0)).toBe(50);
  expect(total.find(({ region }) => region === "other")).toMatchObject({ label: "other", deployment: "", count: 45 });
  expect(new Set(figures.map(({ deployment, region }) => `${deployment} ${region}`)).size).toBe(11);
});

test("once the names are used up, those that are known go on, and a new deployment counts in the sum of all", () => {
  const known = sumFigures([measurement(1)], []);
  const figures = sumFigures([measurement(1), measurement(1, { deployment: "dpl_new" })], known, 2);
  const days = figures.filter(({ tier }) => tier === "day").map(({ deployment, count }) => [deployment, count]);
  expect(days).toEqual([
    ["", 2],
    ["dpl_1", 1],
  ]);
});

test("of a batch what was stored before is counted by kind, and as sent again by Meta", () => {
  const batch = measurement(1, { facts: { events: { message: 3, comment: 1 } }, inserted: { message: 1 } });
  const counted = sumFigures([batch], [])
    .filter(({ tier, deployment }) => tier === "total" && deployment === "")
    .map(({ metric, kind, label, count }) => [metric, kind, label, count].join(" "));
  expect(counted.toSorted()).toEqual([
    "duplicates  delivery 3",
    "events comment duplicate 1",
    "events message duplicate 2",
    "events message inserted 1",
  ]);
});
