import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, test } from "vitest";

import { type Lab, models, openLab } from "./lab.ts";
import { readArrivals, showArrival, tableEnd, tableStart } from "./lifecycle-table.ts";
import { type Case, measureLanes, type Row } from "./measure-lanes.ts";
import { strategies } from "./strategies.ts";

const document = readFileSync(new URL("../../docs/LIFECYCLE.md", import.meta.url), "utf8");
const table = document.slice(document.indexOf(tableStart) + tableStart.length, document.indexOf(tableEnd));

const describeAll = (rows: readonly { strategy: string; qstashMs: number; arrival: string }[]) =>
  rows.map(({ strategy, qstashMs, arrival }) => `${strategy}, QStash at ${qstashMs} ms: ${arrival}`).toSorted();

/** Five times the command's, so that even on a busy machine nearly every answer leaves before its publish can. */
const connectMs = 500;
/** A machine on which a row is inconclusive this often is too busy for the test, which then fails. */
const measurementsMax = 4;

/** The fixture is an app of its own, whose build takes as long as the product's. */
const isWanted = process.env["TEST_LIFECYCLE"] === "all";

let lab: Lab;

describe.skipIf(!isWanted).concurrent("arrivals match the table of docs/LIFECYCLE.md", () => {
  beforeAll(async () => {
    lab = await openLab({ connectMs, note: () => {} });
  }, 120_000);
  afterAll(() => lab.close());

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
    const rows = await measureConclusively(lanes);

    expect(rows.filter((row) => !isConclusive(row))).toEqual([]);
    const measured = rows.map((row) => ({ ...row, arrival: showArrival(row) }));
    expect(describeAll(measured)).toEqual(describeAll([...quick, ...slow]));
    expect(quick).toHaveLength(strategies.length);
  });
});

/** Measures one delivery for each case. Inconclusive rows are measured again, one at a time. */
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
 * Whether the row shows what the host does with work that is left at the answer: the answer came before the publish could
 * leave, or it waited for the publish.
 */
function isConclusive({ strategy, qstashMs, when, ackP50: answerMs }: Row): boolean {
  const isQstashSlow = qstashMs === 3_000;
  // Only a slow QStash takes longer than a deadline.
  if (answerMs === null) return isQstashSlow || when === "not available";
  if (strategy === "await SDK") return true;
  if (strategy !== "await, 3 s race") return answerMs < connectMs;
  // The race ends before a slow QStash answers, and after a quick one does.
  return answerMs < 3_000 + (isQstashSlow ? connectMs : 0);
}
