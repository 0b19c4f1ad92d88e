import { sql } from "drizzle-orm";

import { createHistogram, type Histogram, quantile } from "#measurements/histogram.ts";
import {
  type ComparisonFilter,
  type Latency,
  windowEndingAt,
  type WindowName,
} from "#measurements/runtime-comparison.ts";
import type { Database } from "#store/database.ts";

/** The ack in one region, after a warm or a cold start. */
export interface AckPart {
  /** Null where the platform names none. */
  region: string | null;
  /** Null where it is not known. */
  start: "warm" | "cold" | null;
  edge: Latency | null;
  node: Latency | null;
}

interface Row extends Record<string, unknown> {
  runtime: string;
  region: string;
  cold: "warm" | "cold" | "";
  bucket: number;
  count: number;
  maxMs: number;
}

/** The ack by region and start in the window that ends now, the part with the most acks first. Rejects with the driver's error. */
export async function readAckParts(
  db: Database,
  window: WindowName,
  { region, deployment, cold }: ComparisonFilter,
  nowMs: number,
): Promise<AckPart[]> {
  const { fromMs, tier } = windowEndingAt(window, nowMs);
  const { rows } = await db.execute<Row>(sql`
    select s.runtime, s.region, s.cold, b.bucket, sum(b.count)::float8 as count, max(f.max_ms)::float8 as "maxMs"
    from relay.measurement_series s
    join relay.figures f on f.series_id = s.id
    cross join unnest(f.buckets, f.bucket_counts) b (bucket, count)
    where s.metric = 'ack' and s.deployment = ${deployment ?? ""}
      and f.tier = ${tier} and f.at >= ${new Date(fromMs).toISOString()}::timestamptz
      ${region === null ? sql`` : sql`and s.region = ${region}`} ${cold === "all" ? sql`` : sql`and s.cold = ${cold}`}
    group by s.runtime, s.region, s.cold, b.bucket
  `);
  const parts = new Map(rows.map((row) => [`${row.cold} ${row.region}`, row]));
  return [...parts.values()]
    .map(({ region: name, cold: start }): AckPart => {
      const latency = (runtime: string) =>
        latencyOf(rows.filter((row) => row.runtime === runtime && row.region === name && row.cold === start));
      return {
        region: name === "" ? null : name,
        start: start === "" ? null : start,
        edge: latency("edge"),
        node: latency("nodejs"),
      };
    })
    .toSorted((a, b) => countOf(b) - countOf(a));
}

function countOf({ edge, node }: AckPart): number {
  return (edge?.count ?? 0) + (node?.count ?? 0);
}

function latencyOf(rows: readonly Row[]): Latency | null {
  const histogram: Histogram = createHistogram();
  for (const { bucket, count, maxMs } of rows) {
    histogram.buckets.set(bucket, count);
    histogram.count += count;
    histogram.maxMs = Math.max(histogram.maxMs, maxMs);
  }
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantile(histogram, share));
  if (p50 == null || p95 == null || p99 == null) return null;
  return { count: Math.round(histogram.count), p50, p95, p99, max: histogram.maxMs };
}
