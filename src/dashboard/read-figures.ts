import { sql } from "drizzle-orm";

import { addendsOf, addToFigure, createFigure, type Series } from "#measurements/figures.ts";
import type { ComparisonFilter, TimeWindow } from "#measurements/runtime-comparison.ts";
import type { WindowFigure } from "#measurements/summarize-runtime.ts";
import type { Database } from "#store/database.ts";
import { measurementJson, type MeasurementJson, toMeasurement } from "#store/measurement-rows.ts";

export interface WindowFigures {
  figures: WindowFigure[];
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
  /** Null for what is only counted. */
  sums: [sumMs: number, maxMs: number, within250: number, within1000: number, within5000: number] | null;
  /** Encodings in a row, in base64. */
  buckets: string | null;
  /** Of the one row with an empty metric. */
  rest: { waiting: MeasurementJson[] | null; places: Place[] | null } | null;
}

type Place = [region: string, deployment: string, firstSeenMs: number];

/** Above this many measurements that wait for a roll-up, the rest is not shown: ingestion is faster than the roll-ups. */
const waitingMax = 10_000;

/** Metrics of which a window shows a series. Others are summed up over the whole window by the database. */
const serialMetrics = ["ack", "publish", "deliveries", "outcome", "correction"];

/**
 * The figures of a window, with what is not rolled up yet, in one statement, so that a roll-up at the same moment hides or
 * doubles nothing.
 */
export async function readFigures(
  db: Database,
  { fromMs, tier, bucketMs }: TimeWindow,
  filter: ComparisonFilter = { region: null, deployment: null, cold: "all" },
): Promise<WindowFigures> {
  const from = sql`to_timestamp(${fromMs / 1_000}::float8)`;
  const { rows } = await db.execute<FigureRow>(sql`
    with series as (
      select id, metric, runtime, kind, label, metric = any (${sql.param(serialMetrics)}::text[]) as is_serial,
        min(id) over (partition by metric, runtime, kind, label) as group_id
      from relay.measurement_series s
      where s.deployment = ${filter.deployment ?? ""} and (${filter.region}::text is null or s.region = ${filter.region})
        and ${filter.cold} in ('all', s.cold)
    ), summed as (
      select s.group_id, start, sum(f.count) as count,
        case when sum(sum_ms) is not null then
          array[sum(sum_ms), max(max_ms), sum(within_250), sum(within_1000), sum(within_5000)] end as sums,
        string_agg(f.buckets, '') as buckets
      from series s
      join relay.figures f on f.tier = ${tier} and f.series_id = s.id and f.at >= ${from}
      cross join lateral (select case when s.is_serial
        then date_bin(${bucketMs} * interval '1 millisecond', f.at, 'epoch') else ${from} end as start) i
      group by s.group_id, start
    )
    select metric, runtime, kind, label, extract(epoch from start)::float8 * 1000 as "atMs", count, sums,
      encode(buckets, 'base64') as buckets, null::json as rest
    from summed join series on id = summed.group_id
    union all
    select '', '', '', '', 0, 0, null, null, json_build_object(
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
  for (const row of rows) {
    if (row.rest === null) addRow(figureOf(row, row.atMs), row);
    else places.push(...(row.rest.places ?? []));
  }
  for (const measurement of rows.flatMap(({ rest }) => rest?.waiting ?? []).map(toMeasurement)) {
    for (const { count, ms, ...series } of addendsOf(measurement)) {
      if (series.metric === "deliveries") places.push([series.region, series.deployment, measurement.atMs]);
      if (isAdmitted(series, filter)) addToFigure(figureOf(series, measurement.atMs), count, ms);
    }
  }
  return { figures: [...figures.values()], ...placesOf(places) };
}

function addRow(figure: WindowFigure, { count, sums, buckets }: FigureRow): void {
  figure.count += count;
  if (sums === null) return;
  const [sumMs, maxMs, within250, within1000, within5000] = sums;
  figure.stored = {
    count,
    sumMs,
    maxMs,
    within250,
    within1000,
    within5000,
    encoded: Buffer.from(buckets ?? "", "base64"),
  };
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
