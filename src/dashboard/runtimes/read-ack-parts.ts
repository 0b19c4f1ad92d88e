import { sql } from "drizzle-orm";

import { decodeBuckets } from "#measurements/bucket-bytes.ts";
import { splitFrames } from "#measurements/framed-encodings.ts";
import {
  type ComparisonFilter,
  type Latency,
  windowEndingAt,
  type WindowName,
} from "#measurements/runtime-comparison.ts";
import { latencyOf } from "#measurements/summarize-runtime.ts";
import type { Database } from "#store/connection/database.ts";
import { framedBuckets } from "#store/figures/framed-buckets.ts";

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
  count: number;
  maxMs: number;
  /** See `framedBuckets`. */
  buckets: Uint8Array;
}

/**
 * The ack by region and start in the window that ends now, the part with the most acks first. What no roll-up has added to the
 * figures yet is not in it. Rejects with the driver's error.
 */
export async function readAckParts(
  db: Database,
  window: WindowName,
  { region, deployment, cold }: ComparisonFilter,
  nowMs: number,
): Promise<AckPart[]> {
  const { fromMs, tier } = windowEndingAt(window, nowMs);
  const { rows } = await db.execute<Row>(sql`
    select s.runtime, s.region, s.cold, sum(f.count)::float8 as count, max(f.max_ms)::float8 as "maxMs",
      ${sql.raw(framedBuckets)} as buckets
    from relay.measurement_series s
    join relay.figures f on f.series_id = s.id
    where s.metric = 'ack' and s.deployment = ${deployment ?? ""}
      and f.tier = ${tier} and f.at >= ${new Date(fromMs).toISOString()}::timestamptz
      and (${region}::text is null or s.region = ${region}) and ${cold}::text in ('all', s.cold)
    group by s.runtime, s.region, s.cold
  `);
  const parts = new Map<string, AckPart>();
  for (const { runtime, region: name, cold: start, count, maxMs, buckets } of rows) {
    const key = `${start} ${name}`;
    const part = parts.get(key) ?? {
      region: name === "" ? null : name,
      start: start === "" ? null : start,
      edge: null,
      node: null,
    };
    part[runtime === "edge" ? "edge" : "node"] = latencyOf({
      count,
      maxMs,
      buckets: decodeBuckets(splitFrames(buckets).intact),
    });
    parts.set(key, part);
  }
  return [...parts.values()].toSorted((a, b) => countOf(b) - countOf(a));
}

function countOf({ edge, node }: AckPart): number {
  return (edge?.count ?? 0) + (node?.count ?? 0);
}
