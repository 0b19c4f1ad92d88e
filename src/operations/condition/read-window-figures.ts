import { sql } from "drizzle-orm";

import type { Database } from "#store/connection/database.ts";
import { framedBuckets } from "#store/figures/framed-buckets.ts";

/** The sum of some series in one interval of one tier. */
export interface FigureSum extends Record<string, unknown> {
  metric: "deliveries" | "publish" | "outcome" | "refusal" | "handler" | "handlerFailure" | "ack";
  tier: "minute" | "hour";
  kind: string;
  /** A reason, an outcome, an error's name. */
  label: string;
  /** The interval's start; for `ack` that of the window, over which they are summed. */
  atMs: number;
  count: number;
  within1000: number | null;
  maxMs: number | null;
  /** See `framedBuckets`. */
  buckets: Uint8Array | null;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const weekMs = 7 * dayMs;

interface Window {
  metric: FigureSum["metric"];
  tier: FigureSum["tier"];
  /** How long ago it begins and ends. */
  fromMs: number;
  toMs?: number;
  isSummed?: true;
}

/** How far back each metric is read. Silence compares the last day with the same hours of four weeks. */
const windows: readonly Window[] = [
  { metric: "deliveries", tier: "minute", fromMs: 2 * hourMs },
  { metric: "publish", tier: "minute", fromMs: 2 * hourMs },
  { metric: "outcome", tier: "minute", fromMs: 2 * hourMs },
  { metric: "refusal", tier: "minute", fromMs: 2 * hourMs },
  { metric: "handler", tier: "minute", fromMs: 15 * minuteMs },
  { metric: "handlerFailure", tier: "minute", fromMs: 15 * minuteMs },
  { metric: "handlerFailure", tier: "hour", fromMs: dayMs },
  { metric: "ack", tier: "minute", fromMs: 15 * minuteMs, isSummed: true },
  ...[1, 2, 3, 4].map((weeks): Window => {
    return { metric: "deliveries", tier: "hour", fromMs: weeks * weekMs + dayMs + hourMs, toMs: weeks * weekMs };
  }),
];

/** The figures that the facts are made of, without what no roll-up has added yet. Rejects with the driver's error. */
export async function readWindowFigures(db: Database, nowMs: number): Promise<FigureSum[]> {
  const column = <T>(value: (window: Window) => T) => sql.param(windows.map(value));
  const { rows } = await db.execute<FigureSum>(sql`
    select w.metric, w.tier, s.kind, s.label, f.at_ms as "atMs", sum(f.count)::float8 as count,
      sum(f.within_1000)::float8 as "within1000", max(f.max_ms)::float8 as "maxMs",
      case when w.metric = 'ack' then ${sql.raw(framedBuckets)} end as buckets
    from unnest(${column(({ metric }) => metric)}::text[], ${column(({ tier }) => tier)}::text[],
      ${column(({ fromMs }) => nowMs - fromMs)}::float8[], ${column(({ toMs = 0 }) => nowMs - toMs)}::float8[],
      ${column(({ isSummed = false }) => isSummed)}::boolean[]) as w (metric, tier, from_ms, to_ms, is_summed)
    join relay.measurement_series s on s.metric = w.metric and s.deployment = ''
    cross join lateral (
      select series_id, at, count, within_1000, max_ms, buckets,
        case when w.is_summed then w.from_ms else (extract(epoch from at) * 1000)::float8 end as at_ms
      from relay.figures
      where tier = w.tier and series_id = s.id
        and at > to_timestamp(w.from_ms / 1000) - interval '1 minute' and at <= to_timestamp(w.to_ms / 1000)
      -- One look-up in the key's index for each series: the planner, which does not know how short the windows are, would read the whole table.
      offset 0
    ) f
    group by w.metric, w.tier, s.kind, s.label, f.at_ms`);
  return rows;
}

/** When the newest delivery arrived that was no probe, within 29 days. Rejects with the driver's error. */
export async function readLastDelivery(db: Database, nowMs: number): Promise<number | null> {
  const { rows } = await db.execute<{ atMs: number }>(sql`
    select (extract(epoch from received_at) * 1000)::float8 as "atMs" from relay.deliveries
    where received_at > ${new Date(nowMs - 29 * dayMs).toISOString()}::timestamptz and not probe
      and via is distinct from 'backfill'
    order by received_at desc limit 1`);
  return rows[0]?.atMs ?? null;
}

/** An error of a handler in the deployments that have it: the first of them, and when that one first measured anything. */
export interface ErrorBeginning extends Record<string, unknown> {
  kind: string;
  error: string;
  deployment: string;
  firstMs: number;
  deployedMs: number;
}

/** Where the errors of these kinds began, of deployments that had them within a day, the earliest first. Rejects with the driver's error. */
export async function readErrorBeginnings(
  db: Database,
  kinds: readonly string[],
  nowMs: number,
): Promise<ErrorBeginning[]> {
  const { rows } = await db.execute<ErrorBeginning>(sql`
    select s.kind, s.label as error, s.deployment, (extract(epoch from min(s.first_at)) * 1000)::float8 as "firstMs",
      (select extract(epoch from min(d.first_at)) * 1000 from relay.measurement_series d
        where d.deployment = s.deployment)::float8 as "deployedMs"
    from relay.measurement_series s
    where s.metric = 'handlerFailure' and s.deployment not in ('', 'other') and s.kind = any(${sql.param([...kinds])}::text[])
      and exists (select from relay.figures f where f.tier = 'hour' and f.series_id = s.id
        and f.at > ${new Date(nowMs - dayMs - hourMs).toISOString()}::timestamptz)
    group by s.kind, s.label, s.deployment order by 4`);
  return rows;
}
