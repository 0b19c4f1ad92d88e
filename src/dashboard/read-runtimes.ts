import { sql, type SQL } from "drizzle-orm";
import * as v from "valibot";

import { runtimes } from "#platform/delivery.ts";
import type { Database } from "#store/database.ts";
import { deliveryOutcomes } from "#store/delivery-outcomes.ts";
import {
  fillSeries,
  type Latency,
  type RuntimeComparison,
  type RuntimeSummary,
  type SeriesPoint,
  type TimeWindow,
  windowEndingAt,
  windowNames,
  type WindowName,
} from "#measurements/runtime-comparison.ts";

import { verdictOf } from "#measurements/verdict.ts";

import { eventIdsBetween } from "./event-ids-between.ts";
import { oneOf, parseQuery } from "./query-parameters.ts";
import { readRefusalTotals } from "./read-refusals.ts";

const windowQuery = v.object({
  window: v.optional(oneOf(windowNames), "1h"),
});

/** Reads the query of `/api/ops/runtimes`; throws `REQUEST_INVALID`. */
export function parseWindow(params: URLSearchParams): WindowName {
  return parseQuery(windowQuery, params).window;
}

/** The edge–Node comparison over all deliveries received in the window that ends now, probes included. */
export async function readRuntimes(db: Database, name: WindowName, nowMs: number): Promise<RuntimeComparison> {
  const window = windowEndingAt(name, nowMs);
  const [totals, ingest, errors, refusals, series] = await Promise.all([
    readTotals(db, window),
    readIngestLatency(db, window),
    readErrors(db, window),
    readRefusalTotals(db, window),
    readSeries(db, window),
  ]);
  return {
    window: {
      from: new Date(window.fromMs).toISOString(),
      to: new Date(window.toMs).toISOString(),
      region: null,
      deployment: null,
      cold: "all",
    },
    runtimes: runtimes.map((runtime): RuntimeSummary => {
      const of = <T extends { runtime: string }>(rows: readonly T[]) => rows.filter((row) => row.runtime === runtime);
      const total = of(totals)[0];
      return {
        runtime,
        deliveries: total?.deliveries ?? 0,
        events: total?.events ?? 0,
        published: total?.published ?? 0,
        fallback: total?.fallback ?? 0,
        lost: total?.lost ?? 0,
        refused: total?.refused ?? 0,
        publishSuccessRate: total === undefined || total.settled === 0 ? null : total.published / total.settled,
        publishTimeouts: total?.publishTimeouts ?? 0,
        errors: Object.fromEntries(of(errors).map((row) => [row.type, row.count])),
        refusals: Object.fromEntries(of(refusals).map((row) => [row.reason, row.count])),
        coldStarts: total?.coldStarts ?? 0,
        ackWithin: null,
        histograms: {},
        handlerMs: null,
        ackMs: latencyOf(total?.ackMs),
        publishMs: latencyOf(total?.publishMs),
        queueMs: latencyOf(total?.queueMs),
        ingestMs: latencyOf(of(ingest)[0]?.ingestMs),
        endToEndMs: latencyOf(total?.endToEndMs),
        // A probe is timed by its sender, and nothing stores such measurements yet.
        probeMs: null,
        series: fillSeries(window, of(series).map(seriesPointOf)),
      };
    }),
    // Only probes are judged.
    regions: [],
    deployments: [],
    skew: [],
    verdict: verdictOf([], { nowMs, isEmulated: false }),
  };
}

interface RawLatency {
  count: number;
  percentiles: [p50: number, p95: number, p99: number] | null;
  max: number | null;
}

interface TotalsRow extends Record<string, unknown> {
  runtime: string;
  deliveries: number;
  events: number;
  settled: number;
  published: number;
  fallback: number;
  lost: number;
  refused: number;
  publishTimeouts: number;
  coldStarts: number;
  ackMs: RawLatency;
  publishMs: RawLatency;
  queueMs: RawLatency;
  endToEndMs: RawLatency;
}

/** One row per runtime. Negative differences between two machines' clocks count as 0. */
async function readTotals(db: Database, window: TimeWindow): Promise<TotalsRow[]> {
  const { low } = await eventIdsBetween(db, { from: new Date(window.fromMs) });
  const { rows } = await db.execute<TotalsRow>(sql`
    with measured as (
      select
        d.runtime,
        d.cold_start,
        d.timeouts,
        d.attempts,
        d.ack_ms,
        d.reported_at is null or d.ack_ms is not null as acked,
        d.became,
        case when d.complete then d.all_inserted + d.all_duplicates
          else coalesce(d.events, d.all_inserted + d.all_duplicates) end as events,
        -- A forward without an attempt did not publish.
        case when d.attempts > 0 then d.publish_ms end as publish_ms,
        -- Without a report only the start of the publish is known, from the batch itself.
        case when d.became = 'published' then
          ${millisecondsBetween(sql`coalesce(d.published_at, d.publish_started_at)`, sql`d.first_delivered_at`)}
        end as queue_ms,
        case when d.complete then ${millisecondsBetween(sql`e.sent_at`, sql`d.last_ingested_at`)} end as end_to_end_ms
      from ${deliveryOutcomes()} d
      -- The first event that it was the first to bring. Meta gives up after 36 hours: older ones were replayed by hand.
      left join relay.events e on e.id = d.first_event_id and e.id >= ${low} and not e.test
        and e.sent_at > d.received_at - interval '36 hours'
      where ${receivedIn(window)}
    )
    select
      runtime,
      count(*)::int as deliveries,
      coalesce(sum(events), 0)::int as events,
      -- An event too large for QStash goes to the fallback without an attempt, which says nothing about publishing.
      count(became) filter (where attempts is distinct from 0)::int as settled,
      count(*) filter (where became = 'published')::int as published,
      count(*) filter (where became = 'fallback')::int as fallback,
      count(*) filter (where became = 'lost')::int as lost,
      count(*) filter (where not acked)::int as refused,
      coalesce(sum(timeouts), 0)::int as "publishTimeouts",
      count(*) filter (where cold_start)::int as "coldStarts",
      ${latency(sql`ack_ms`)} as "ackMs",
      ${latency(sql`publish_ms`)} as "publishMs",
      ${latency(sql`queue_ms`)} as "queueMs",
      ${latency(sql`end_to_end_ms`)} as "endToEndMs"
    from measured
    group by runtime
  `);
  return rows;
}

async function readIngestLatency(db: Database, window: TimeWindow) {
  const { rows } = await db.execute<{ runtime: string; ingestMs: RawLatency }>(sql`
    select d.runtime, ${latency(sql`d.ingest_ms`)} as "ingestMs"
    from (
      select d.runtime, d.ingest_ms from relay.deliveries d where ${receivedIn(window)}
      union all
      select d.runtime, b.ingest_ms
      from relay.deliveries d
      join relay.delivery_batches b on b.delivery_id = d.id
      where ${receivedIn(window)} and d.batches is distinct from 1
    ) d
    group by d.runtime
  `);
  return rows;
}

async function readErrors(db: Database, window: TimeWindow) {
  const { rows } = await db.execute<{ runtime: string; type: string; count: number }>(sql`
    select d.runtime, d.error_type as type, count(*)::int as count
    from relay.deliveries d
    where ${receivedIn(window)} and d.error_type is not null
    group by d.runtime, d.error_type
    order by d.error_type
  `);
  return rows;
}

interface SeriesRow extends Record<string, unknown> {
  runtime: string;
  atMs: number;
  count: number;
  ack: [number, number, number] | null;
  publishP95: number | null;
}

async function readSeries(db: Database, window: TimeWindow): Promise<SeriesRow[]> {
  const { rows } = await db.execute<SeriesRow>(sql`
    select
      d.runtime,
      (floor(extract(epoch from d.received_at) * 1000 / ${window.bucketMs}::bigint) * ${window.bucketMs}::bigint)::float8
        as "atMs",
      count(*)::int as count,
      percentile_cont(array[0.5, 0.95, 0.99]) within group (order by d.ack_ms) as ack,
      percentile_cont(0.95) within group (order by d.publish_ms) filter (where d.attempts > 0) as "publishP95"
    from relay.deliveries d
    where ${receivedIn(window)}
    group by d.runtime, "atMs"
  `);
  return rows;
}

function receivedIn({ fromMs, toMs }: TimeWindow): SQL {
  return sql`d.received_at >= ${instant(fromMs)} and d.received_at < ${instant(toMs)}`;
}

function instant(epochMs: number): SQL {
  return sql`${new Date(epochMs).toISOString()}::timestamptz`;
}

function millisecondsBetween(start: SQL, end: SQL): SQL {
  // greatest() ignores null, but an unknown end must stay unknown.
  const difference = sql`(extract(epoch from ${end} - ${start}) * 1000)::float8`;
  return sql`case when ${start} is not null and ${end} is not null then greatest(0, ${difference}) end`;
}

/** Nulls are not counted, so each metric has its own count. */
function latency(value: SQL): SQL {
  return sql`json_build_object(
    'count', count(${value}),
    'percentiles', percentile_cont(array[0.5, 0.95, 0.99]) within group (order by ${value}),
    'max', max(${value})
  )`;
}

function latencyOf(raw: RawLatency | undefined): Latency | null {
  if (raw === undefined || raw.percentiles === null || raw.max === null) return null;
  const [p50, p95, p99] = raw.percentiles;
  return { count: raw.count, p50: round(p50), p95: round(p95), p99: round(p99), max: round(raw.max) };
}

function seriesPointOf(row: SeriesRow): SeriesPoint {
  const [p50 = null, p95 = null, p99 = null] = row.ack?.map(round) ?? [];
  return {
    at: new Date(row.atMs).toISOString(),
    count: row.count,
    ackP50: p50,
    ackP95: p95,
    ackP99: p99,
    publishP95: row.publishP95 === null ? null : round(row.publishP95),
    lost: 0,
  };
}

/** To a microsecond, which is more exact than the clocks. */
function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
