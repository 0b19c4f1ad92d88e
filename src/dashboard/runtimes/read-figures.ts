import { type SQL, sql } from "drizzle-orm";

import { addendsOf, addToFigure, createFigure, type Series } from "#measurements/figures.ts";
import { type DamagedFigure, splitFrames } from "#measurements/framed-encodings.ts";
import type { ComparisonFilter, TimeWindow } from "#measurements/runtime-comparison.ts";
import type { WindowFigure } from "#measurements/summarize-runtime.ts";
import type { Database } from "#store/connection/database.ts";
import { framedBuckets } from "#store/figures/framed-buckets.ts";
import { measurementJson, type MeasurementJson, toMeasurement } from "#store/figures/measurement-rows.ts";

export interface WindowFigures {
  figures: WindowFigure[];
  /** The stored figures whose buckets are damaged: they are in no percentile. */
  damaged: DamagedFigure[];
  /** Those with deliveries in the window, whatever the filter. */
  regions: string[];
  /** The newest first. `firstSeenMs` is the start of a minute. */
  deployments: { id: string; firstSeenMs: number }[];
}

interface FigureRow extends Record<string, unknown> {
  metric: string;
  runtime: string;
  kind: string;
  label: string;
  atMs: number;
  count: number;
  /** Null for what is only counted, as are the other times and `buckets`. */
  sumMs: number | null;
  maxMs: number;
  within250: number;
  within1000: number;
  within5000: number;
  /** See `framedBuckets`; in base64. */
  buckets: string | null;
  /** Of the one row with an empty metric. */
  rest: Rest | null;
}

interface Rest {
  waiting: MeasurementJson[] | null;
  places: Place[] | null;
}

type Place = [region: string, deployment: string, firstSeenMs: number];

/** Above this many measurements that wait for a roll-up, the rest is not shown: ingestion is faster than the roll-ups. */
const waitingMax = 10_000;

/** Metrics of which a window shows a series. Others are summed up over the whole window by the database. */
const serialMetrics = ["ack", "publish", "deliveries", "outcome", "correction"];

/**
 * The figures of a window, with what is not rolled up yet, in one statement, so that a roll-up at the same moment hides or
 * doubles nothing. Of a figure that is damaged the buckets are missing.
 */
export async function readFigures(
  db: Database,
  window: TimeWindow,
  filter: ComparisonFilter = { region: null, deployment: null, cold: "all" },
): Promise<WindowFigures> {
  const { fromMs, tier, bucketMs } = window;
  const from = sql`to_timestamp(${fromMs / 1_000}::float8)`;
  const { rows } = await db.execute<FigureRow>(sql`
    with f as (${rowsOf(window, filter)}), summed as (
      select metric, runtime, kind, label, case when metric = any (${sql.param(serialMetrics)}::text[])
          then date_bin(${bucketMs} * interval '1 millisecond', at, 'epoch') else ${from} end as start,
        sum(count) as count, sum(sum_ms) as sum_ms, max(max_ms) as max_ms, sum(within_250) as within_250,
        sum(within_1000) as within_1000, sum(within_5000) as within_5000, ${sql.raw(framedBuckets)} as buckets
      from f group by metric, runtime, kind, label, start
    )
    select metric, runtime, kind, label, extract(epoch from start)::float8 * 1000 as "atMs", count, sum_ms as "sumMs",
      max_ms as "maxMs", within_250 as "within250", within_1000 as "within1000", within_5000 as "within5000",
      encode(buckets, 'base64') as buckets, null::json as rest
    from summed
    union all
    select '', '', '', '', 0, 0, null, null, null, null, null, null, json_build_object(
      'waiting', (select json_agg(${sql.raw(measurementJson)}) from (
        select * from relay.measurements where at >= ${from} limit ${waitingMax}) m),
      'places', (select json_agg(json_build_array(region, deployment, (extract(epoch from first_at) * 1000)::float8))
        from relay.measurement_series s
        where metric = 'deliveries' and exists (
          select from relay.figures f where f.tier = ${tier} and f.series_id = s.id and f.at >= ${from})))
  `);
  const figures = new Map<string, WindowFigure>();
  const figureOf = (
    { metric, runtime, kind, label }: Pick<Series, "metric" | "runtime" | "kind" | "label">,
    atMs: number,
  ) => {
    const startMs = serialMetrics.includes(metric) ? Math.floor(atMs / bucketMs) * bucketMs : fromMs;
    const key = [startMs, metric, runtime, kind, label].join("\0");
    const figure = figures.get(key) ?? { metric, runtime, kind, label, atMs: startMs, stored: null, ...createFigure() };
    figures.set(key, figure);
    return figure;
  };
  const places: Place[] = [];
  const waiting: MeasurementJson[] = [];
  const damaged: DamagedFigure[] = [];
  for (const row of rows) {
    if (row.rest === null) damaged.push(...addRow(figureOf(row, row.atMs), row));
    places.push(...(row.rest?.places ?? []));
    waiting.push(...(row.rest?.waiting ?? []));
  }
  for (const measurement of waiting.map(toMeasurement)) {
    for (const { count, ms, ...series } of addendsOf(measurement)) {
      if (series.metric === "deliveries") places.push([series.region, series.deployment, measurement.atMs]);
      if (isAdmitted(series, filter)) addToFigure(figureOf(series, measurement.atMs), count, ms);
    }
  }
  return { figures: [...figures.values()], damaged, ...placesOf(places) };
}

/** The rows that a window is made of: of past hours and days the sums over regions, unless one region is asked for. */
function rowsOf({ fromMs, tier }: TimeWindow, { region, deployment, cold }: ComparisonFilter): SQL {
  const from = sql`to_timestamp(${fromMs / 1_000}::float8)`;
  const columns = sql`series_id, metric, runtime, kind, label, at, count, sum_ms, max_ms, within_250, within_1000, within_5000, buckets`;
  const ofFilter = sql`deployment = ${deployment ?? ""} and ${cold} in ('all', cold)`;
  if (region !== null || tier === "minute") {
    return sql`
      select ${columns} from relay.measurement_series s join relay.figures f on f.series_id = s.id
      where f.tier = ${tier} and f.at >= ${from} and ${ofFilter} and (${region}::text is null or region = ${region})`;
  }
  const unsummed = sql`(select at from relay.unsummed_intervals where tier = ${tier} and at >= ${from})`;
  return sql`
    select 0 as ${columns} from relay.region_sums
    where tier = ${tier} and at >= ${from} and ${ofFilter} and at not in ${unsummed}
    union all
    select ${columns} from relay.measurement_series s cross join lateral (
      select * from relay.figures where tier = ${tier} and series_id = s.id and at = any (array${unsummed})
      -- One look-up in the key's index for each series: the planner would read the whole table.
      offset 0
    ) f
    where ${ofFilter}`;
}

/** Returns what is damaged. */
function addRow(figure: WindowFigure, row: FigureRow): DamagedFigure[] {
  const { count, sumMs, maxMs, within250, within1000, within5000, buckets } = row;
  figure.count += count;
  if (sumMs === null) return [];
  const { intact, damaged } = splitFrames(buckets === null ? null : Buffer.from(buckets, "base64"));
  figure.stored = { count, sumMs, maxMs, within250, within1000, within5000, encodings: intact };
  return damaged;
}

function isAdmitted(series: Series, { region, deployment, cold }: ComparisonFilter): boolean {
  return (
    (region === null || series.region === region) &&
    (deployment === null || series.deployment === deployment) &&
    (cold === "all" || series.cold === cold)
  );
}

function placesOf(places: readonly Place[]): Pick<WindowFigures, "regions" | "deployments"> {
  const regions = new Set(places.flatMap(([region]) => (region === "" ? [] : [region])));
  const firstSeen = new Map<string, number>();
  for (const [, id, firstMs] of places) {
    if (id !== "") firstSeen.set(id, Math.min(firstMs, firstSeen.get(id) ?? Infinity));
  }
  return {
    regions: [...regions].toSorted(),
    deployments: [...firstSeen]
      .map(([id, firstSeenMs]) => ({ id, firstSeenMs: Math.floor(firstSeenMs / 60_000) * 60_000 }))
      .toSorted((a, b) => b.firstSeenMs - a.firstSeenMs || (a.id < b.id ? -1 : 1)),
  };
}
