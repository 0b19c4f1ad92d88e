import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, test } from "vitest";

import { strategies } from "./fixture/strategies.ts";
import { type Lab, models, openLab } from "./lab.ts";
import { readArrivals, showArrival, tableEnd, tableStart } from "./lifecycle-table.ts";
import { type Case, measureLanes, type Row } from "./measure-lanes.ts";

const document = readFileSync(new URL("../../docs/LIFECYCLE.md", import.meta.url), "utf8");
const table = document.slice(document.indexOf(tableStart) + tableStart.length, document.indexOf(tableEnd));

const describeAll = (rows: readonly { strategy: string; qstashMs: number; arrival: string }[]) =>
  rows.map(({ strategy, qstashMs, arrival }) => `${strategy}, QStash at ${qstashMs} ms: ${arrival}`).toSorted();

/** Five times the command's: also on a busy machine nearly every answer is out before its publish can be. */
const roadMs = 500;
/** How often a row is measured before the machine counts as too busy to show anything. */
const measurementsMax = 4;

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ roadMs, note: () => {} });
}, 120_000);
afterAll(() => lab.close());

describe.concurrent("arrivals match the table of docs/LIFECYCLE.md", () => {
  test.for(models)("$runtime, $host", { timeout: 60_000 }, async (model, { expect }) => {
    const documented = readArrivals(table, model);
    const quick = documented.filter(({ qstashMs }) => qstashMs === 5);
    // A slow QStash is waited for where it makes a difference.
    const slow = documented.filter(
      ({ strategy, qstashMs, arrival }) =>
        qstashMs === 3_000 && arrival !== quick.find((row) => row.strategy === strategy)?.arrival,
    );
    const toCase = ({ strategy, qstashMs }: (typeof documented)[number]): Case => ({ ...model, strategy, qstashMs });
    const lanes = [quick.map(toCase), ...slow.map((row) => [toCase(row)])];
    const rows = await measureConclusively(lanes);

    expect(rows.filter((row) => !isConclusive(row))).toEqual([]);
    const measured = rows.map((row) => ({ ...row, arrival: showArrival(row) }));
    expect(describeAll(measured)).toEqual(describeAll([...quick, ...slow]));
    expect(quick).toHaveLength(strategies.length);
  });
});

/** One delivery for each case. Those whose answer was too slow to show anything are measured again, one at a time. */
async function measureConclusively(lanes: Case[][]): Promise<Row[]> {
  let rows = await measureLanes(lab, lanes, { deliveries: 1, lanesAtOnce: lanes.length });
  for (let measured = 1; measured < measurementsMax && !rows.every(isConclusive); measured += 1) {
    const again = rows.filter((row) => !isConclusive(row)).map((row) => [row]);
    const repeated = await measureLanes(lab, again, { deliveries: 1, lanesAtOnce: 1 });
    rows = [...rows.filter(isConclusive), ...repeated];
  }
  return rows;
}

/**
 * Whether the answer came while the publish was still on its road, or awaited it. A publish whose answer is slower may
 * have left before it, whatever the host does with what is left at the answer.
 */
function isConclusive({ strategy, qstashMs, ackP50: answerMs }: Row): boolean {
  if (answerMs === null || strategy === "await SDK") return true;
  if (strategy !== "await, 3 s race") return answerMs < roadMs;
  // QStash at 3 s answers after the race has ended, a quicker one before.
  return answerMs < 3_000 + (qstashMs < 3_000 ? 0 : roadMs);
}
