import type { PoolClient } from "pg";

import type { Database } from "../connection/database.ts";
import { framedBuckets } from "./framed-buckets.ts";
import { changeFigures } from "./roll-up.ts";

/** An hour or a day, by its start. */
export interface SummedInterval {
  tier: "hour" | "day";
  at: Date;
}

/** What takes the rows of a group apart, see `splitFrames`, and one encoding of their sum. */
export interface RegionSumming {
  splitFrames: (framed: Uint8Array | null) => { intact: Uint8Array[]; damaged: readonly unknown[] };
  mergeBuckets: (encoded: readonly Uint8Array[]) => Uint8Array;
}

const sumColumns = ["count", "sum_ms", "max_ms", "within_250", "within_1000", "within_5000"] as const;
const nameColumns = ["metric", "runtime", "deployment", "cold", "kind", "label"] as const;

type SumRow = Record<(typeof nameColumns)[number], string> &
  Record<(typeof sumColumns)[number], number | null> & { buckets: Uint8Array | null };

/** So long after its end an interval is summed up: most reports have come by then, and each later one repeats the work. */
const graceMs = 10 * 60_000;

/**
 * Sums up over regions the newest interval that needs it and that is none of `passed`, days before hours. Resolves with it
 * and with whether it is summed up now: not if one of its figures is damaged, and is then to be read by itself. Resolves with
 * undefined if there is none, or while figures change elsewhere. Throws `STORE_UNAVAILABLE`.
 */
export async function sumRegionsStep(
  db: Database,
  { splitFrames, mergeBuckets }: RegionSumming,
  { nowMs, passed }: { nowMs: number; passed: readonly SummedInterval[] },
): Promise<{ interval: SummedInterval; isSummed: boolean } | undefined> {
  return changeFigures(db, async (client) => {
    const interval = await findUnsummed(client, nowMs - graceMs, passed);
    if (interval === undefined) return undefined;
    const rows = (await readSums(client, interval)).map((row) => ({ ...row, frames: splitFrames(row.buckets) }));
    if (rows.some(({ frames }) => frames.damaged.length > 0)) return { interval, isSummed: false };
    const sums = rows.map(({ frames, ...row }) => {
      return { ...row, buckets: row.buckets === null ? null : mergeBuckets(frames.intact) };
    });
    await replaceSums(client, interval, sums);
    return { interval, isSummed: true };
  });
}

async function findUnsummed(
  client: PoolClient,
  endedBeforeMs: number,
  passed: readonly SummedInterval[],
): Promise<SummedInterval | undefined> {
  const { rows } = await client.query<SummedInterval>(
    `select tier, at from relay.unsummed_intervals
    where at + case tier when 'day' then interval '24 hours' else interval '1 hour' end < to_timestamp($1::float8 / 1000)
      and (tier, at) not in (select * from unnest($2::text[], $3::timestamptz[]))
    order by tier, at desc limit 1
    -- A change that is not committed yet has locked its mark. One that begins from here on waits until this one is removed.
    for update skip locked`,
    [endedBeforeMs, passed.map(({ tier }) => tier), passed.map(({ at }) => at)],
  );
  return rows[0];
}

async function readSums(client: PoolClient, { tier, at }: SummedInterval): Promise<SumRow[]> {
  const { rows } = await client.query<SumRow>(
    `select ${nameColumns.join(", ")}, sum(f.count) as count, sum(f.sum_ms) as sum_ms, max(f.max_ms) as max_ms,
      sum(f.within_250) as within_250, sum(f.within_1000) as within_1000, sum(f.within_5000) as within_5000,
      ${framedBuckets} as buckets
    from relay.measurement_series s join relay.figures f on f.series_id = s.id
    where f.tier = $1 and f.at = $2
    group by ${nameColumns.join(", ")}`,
    [tier, at],
  );
  return rows;
}

async function replaceSums(client: PoolClient, { tier, at }: SummedInterval, sums: readonly SumRow[]): Promise<void> {
  await client.query("delete from relay.region_sums where tier = $1 and at = $2", [tier, at]);
  const columns = [...nameColumns, ...sumColumns, "buckets"] as const;
  const types = [...nameColumns.map(() => "text"), ...sumColumns.map(() => "float8"), "bytea"];
  await client.query(
    `insert into relay.region_sums (tier, at, ${columns.join(", ")})
    select $1, $2, u.* from unnest(${types.map((type, index) => `$${index + 3}::${type}[]`).join(", ")}) u`,
    [tier, at, ...columns.map((column) => sums.map((sum) => sum[column]))],
  );
  await client.query("delete from relay.unsummed_intervals where tier = $1 and at = $2", [tier, at]);
}
