/** Totals as the roll-up leaves them. */
import { sql } from "drizzle-orm";

import { addTime, createHistogram } from "#measurements/histogram.ts";
import type { Database } from "#store/database.ts";

export interface AddedTotal {
  metric: string;
  runtime?: string;
  region?: string;
  cold?: string;
  kind?: string;
  label?: string;
  /** Of a metric that is only counted. */
  count?: number;
  /** Times in milliseconds. */
  times?: number[];
}

/** Adds to the total of the series, which begins if it is new. */
export async function addTotal(db: Database, added: AddedTotal): Promise<void> {
  const { metric, runtime = "edge", region = "", cold = "", kind = "", label = "", count = 0, times } = added;
  const { rows } = await db.execute<{ id: number }>(sql`
    insert into relay.measurement_series (first_at, metric, runtime, region, deployment, cold, kind, label)
    values (now(), ${metric}, ${runtime}, ${region}, '', ${cold}, ${kind}, ${label})
    on conflict (metric, runtime, region, deployment, cold, kind, label) do update set metric = excluded.metric
    returning id`);
  const id = rows[0]?.id;
  const { rows: known } = await db.execute<{ count: number; sumMs: number; buckets: number[]; counts: number[] }>(sql`
    select count, sum_ms as "sumMs", buckets, bucket_counts as counts from relay.figures where series_id = ${id}`);
  const before = known[0];
  const histogram = createHistogram();
  before?.buckets?.forEach((bucket, index) => histogram.buckets.set(bucket, before.counts[index] ?? 0));
  histogram.count = before?.count ?? 0;
  histogram.sumMs = before?.sumMs ?? 0;
  for (const ms of times ?? []) addTime(histogram, ms);
  const buckets = [...histogram.buckets].toSorted(([a], [b]) => a - b);
  const isCounted = times === undefined;
  await db.execute(sql`
    insert into relay.figures (tier, series_id, at, count, sum_ms, buckets, bucket_counts)
    values ('total', ${id}, 'epoch', ${histogram.count + count}, ${isCounted ? null : histogram.sumMs},
      ${isCounted ? null : sql.param(buckets.map(([bucket]) => bucket))}::smallint[],
      ${isCounted ? null : sql.param(buckets.map(([, one]) => one))}::float8[])
    on conflict (tier, at, series_id) do update
      set count = excluded.count, sum_ms = excluded.sum_ms, buckets = excluded.buckets, bucket_counts = excluded.bucket_counts`);
}

/** One of every series that the relay measures, so that every metric has a sample. */
export async function addEverything(db: Database): Promise<void> {
  for (const metric of ["ack", "publish", "queue", "ingest", "endToEnd", "probe"]) {
    await addTotal(db, { metric, region: "fra1", cold: "warm", times: [0, 3.2, 250, 70_000] });
  }
  await addTotal(db, { metric: "handler", kind: "message", times: [12] });
  await addTotal(db, { metric: "outcome", label: "published", count: 10 });
  await addTotal(db, { metric: "outcome", label: "lost", count: 1 });
  await addTotal(db, { metric: "events", label: "inserted", kind: "message", count: 12 });
  await addTotal(db, { metric: "events", label: "duplicate", kind: "message", count: 2 });
  await addTotal(db, { metric: "refusal", label: "SIGNATURE_INVALID", count: 3 });
  await addTotal(db, { metric: "error", label: "PUBLISH_TIMEOUT", count: 3 });
  await addTotal(db, { metric: "publishTimeouts", count: 3 });
  await addTotal(db, { metric: "handlerFailure", kind: "message", label: 'Odd"Error\\', count: 1 });
  await addTotal(db, { metric: "handlerRetry", kind: "message", count: 1 });
  await db.execute(sql`
    insert into relay.measurement_series (first_at, metric, runtime, region, deployment, cold, kind, label)
    values ('2026-01-31T12:00:00Z', 'deliveries', 'edge', '', 'dpl_1', '', '', '')`);
  await db.execute(sql`
    insert into relay.maintenance_parts (name, ran_at, ms, result) values
      ('pause', now() - interval '1 minute', 0, '{"paused":true}'), ('sweep', now() - interval '2 minutes', 1, '{}')`);
}
