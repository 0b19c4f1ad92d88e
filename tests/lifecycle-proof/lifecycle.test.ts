import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, test } from "vitest";

import { strategies } from "./fixture/strategies.ts";
import { type Lab, models, openLab } from "./lab.ts";
import { readArrivals, showArrival, tableEnd, tableStart } from "./lifecycle-table.ts";
import { type Case, measureLanes } from "./measure-lanes.ts";

const document = readFileSync(new URL("../../docs/LIFECYCLE.md", import.meta.url), "utf8");
const table = document.slice(document.indexOf(tableStart) + tableStart.length, document.indexOf(tableEnd));

const describeAll = (rows: readonly { strategy: string; qstashMs: number; arrival: string }[]) =>
  rows.map(({ strategy, qstashMs, arrival }) => `${strategy}, QStash at ${qstashMs} ms: ${arrival}`).toSorted();

let lab: Lab;
beforeAll(async () => {
  // Five times the command's road: on a busy machine, too, an answer is out before a publish can be.
  lab = await openLab({ roadMs: 500, note: () => {} });
}, 120_000);
afterAll(() => lab.close());

describe.concurrent("arrivals are as docs/LIFECYCLE.md has them", () => {
  // Even so an answer may take longer than a publish, on a machine that is busy enough; not twice.
  test.for(models)("$runtime, $host", { retry: 1, timeout: 60_000 }, async (model, { expect }) => {
    const documented = readArrivals(table, model);
    const quick = documented.filter(({ qstashMs }) => qstashMs === 5);
    // A slow QStash is waited for where it makes a difference.
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
