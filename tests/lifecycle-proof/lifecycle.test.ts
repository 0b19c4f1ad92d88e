import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, test } from "vitest";

import { type Lab, models, openLab } from "./lab.ts";
import { readArrivals, showArrival, tableEnd, tableStart } from "./lifecycle-table.ts";
import { type Case, measureLanes } from "./measure-lanes.ts";
import { strategies } from "./strategies.ts";

const document = readFileSync(new URL("../../docs/LIFECYCLE.md", import.meta.url), "utf8");
const table = document.slice(document.indexOf(tableStart) + tableStart.length, document.indexOf(tableEnd));

const describeAll = (rows: readonly { strategy: string; qstashMs: number; arrival: string }[]) =>
  rows.map(({ strategy, qstashMs, arrival }) => `${strategy}, QStash at ${qstashMs} ms: ${arrival}`).toSorted();

let lab: Lab;
beforeAll(async () => {
  // Longer than in the command, for a busy machine: a publish takes 1.5 s more than an answer, the deadline is 1.5 s after
  // that, and a publish to a QStash that takes 3 s ends 1.5 s after the deadline.
  lab = await openLab({ connectMs: 1_500, deadlineMs: 3_000, note: () => {} });
}, 120_000);
afterAll(() => lab.close());

describe.concurrent("events arrive as docs/LIFECYCLE.md shows", () => {
  test.for(models)("$runtime, $host", { timeout: 60_000 }, async (model, { expect }) => {
    const documented = readArrivals(table, model);
    const quick = documented.filter(({ qstashMs }) => qstashMs === 5);
    // A slow QStash takes time, so it is measured only where it makes a difference.
    const slow = documented.filter(
      ({ strategy, qstashMs, arrival }) =>
        qstashMs === 3_000 && arrival !== quick.find((row) => row.strategy === strategy)?.arrival,
    );
    const toCase = ({ strategy, qstashMs }: (typeof documented)[number]): Case => ({ ...model, strategy, qstashMs });
    const lanes = [quick.map(toCase), ...slow.map((row) => [toCase(row)])];
    const rows = await measureLanes(lab, lanes, { deliveries: 1, lanesAtOnce: lanes.length });

    const measured = rows.map((row) => ({ ...row, arrival: showArrival(row) }));
    expect(describeAll(measured)).toEqual(describeAll([...quick, ...slow]));
    expect(quick).toHaveLength(strategies.length);
  });
});
