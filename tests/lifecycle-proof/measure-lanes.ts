import type { Lab, Model } from "./lab.ts";
import { type Measured, measureRow } from "./measure-row.ts";
import type { Strategy } from "./strategies.ts";

/** One strategy on one model with one QStash time. */
export interface Case extends Model {
  strategy: Strategy;
  qstashMs: number;
}

export type Row = Case & Measured;

export interface LaneOptions {
  /** For each case. */
  deliveries: number;
  lanesAtOnce: number;
  onRow?: (row: Row) => void;
}

/**
 * Measures lanes, `lanesAtOnce` at a time. A lane is a list of cases of one model, which are measured one after another on
 * one host. The rows are in the order in which they were completed.
 */
export async function measureLanes(
  lab: Lab,
  lanes: readonly (readonly Case[])[],
  { deliveries, lanesAtOnce, onRow }: LaneOptions,
): Promise<Row[]> {
  const waiting = [...lanes];
  const rows: Row[] = [];
  const measureNext = async () => {
    for (let lane = waiting.shift(); lane !== undefined; lane = waiting.shift()) {
      for (const row of await measureLane(lab, lane, deliveries)) {
        rows.push(row);
        onRow?.(row);
      }
    }
  };
  await Promise.all(Array.from({ length: lanesAtOnce }, measureNext));
  return rows;
}

async function measureLane(lab: Lab, lane: readonly Case[], deliveries: number): Promise<Row[]> {
  const [first] = lane;
  if (first === undefined) return [];
  const host = lab.open(first);
  try {
    const rows: Row[] = [];
    for (const each of lane) {
      const { strategy, qstashMs } = each;
      const measured = await measureRow({ host, qstash: lab.qstash, strategy, qstashMs, deliveries });
      rows.push({ ...each, ...measured });
    }
    return rows;
  } finally {
    await host.close();
  }
}
