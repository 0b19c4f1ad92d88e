import { sql } from "drizzle-orm";

import { decodeBuckets } from "#measurements/bucket-bytes.ts";
import { quantile } from "#measurements/distribution.ts";
import { splitFrames } from "#measurements/framed-encodings.ts";
import type { Database } from "#store/connection/database.ts";
import { framedBuckets } from "#store/figures/framed-buckets.ts";

import { formatMs, formatShare } from "../format.ts";
import { isoText } from "../iso-text.ts";
import type { When } from "./status-words.ts";
import type { DeploymentChange, DeploymentFigures } from "./status.ts";

interface Row extends Record<string, unknown> {
  id: string;
  firstSeenAt: string;
  deliveries: number | null;
  runs: number | null;
  failures: number | null;
  acks: number | null;
  ackMaxMs: number | null;
  ackBuckets: Uint8Array | null;
}

/** The last two deployments that received a delivery, by their own figures of the last seven days; null if none is known. */
export async function readDeploymentChange(
  db: Database,
  { nowMs, when }: { nowMs: number; when: When },
): Promise<DeploymentChange | null> {
  const from = sql`${new Date(nowMs - 7 * 24 * 3_600_000).toISOString()}::timestamptz`;
  const of = (metric: string) => sql`filter (where f.metric = ${metric})`;
  const { rows } = await db.execute<Row>(sql`
    with last as (
      select deployment, min(first_at) as first_at from relay.measurement_series
      where deployment <> '' and metric = 'deliveries' group by deployment order by first_at desc, deployment limit 2
    ), f as (
      select s.deployment, s.metric, sum(f.count)::float8 as count, max(f.max_ms)::float8 as max_ms,
        case when s.metric = 'ack' then ${sql.raw(framedBuckets)} end as buckets
      from last join relay.measurement_series s using (deployment)
      join relay.figures f on f.tier = 'hour' and f.series_id = s.id and f.at >= ${from}
      where s.metric in ('deliveries', 'ack', 'handler', 'handlerFailure')
      group by s.deployment, s.metric
    )
    select last.deployment as id, ${isoText(sql`last.first_at`)} as "firstSeenAt",
      max(f.count) ${of("deliveries")} as deliveries, max(f.count) ${of("handler")} as runs,
      max(f.count) ${of("handlerFailure")} as failures, max(f.count) ${of("ack")} as acks,
      max(f.max_ms) ${of("ack")} as "ackMaxMs", string_agg(f.buckets, '') ${of("ack")} as "ackBuckets"
    from last left join f using (deployment)
    group by last.deployment, last.first_at order by last.first_at desc, last.deployment`);
  const [last, before = null] = rows.map(figuresOf);
  return last === undefined ? null : { last, before, sentence: describeChange(last, before, when) };
}

function figuresOf(row: Row): DeploymentFigures {
  const { id, firstSeenAt, deliveries, runs, failures, acks, ackMaxMs, ackBuckets } = row;
  const buckets = decodeBuckets(splitFrames(ackBuckets).intact);
  const distribution = { count: acks ?? 0, maxMs: ackMaxMs ?? 0, buckets };
  return {
    id,
    firstSeenAt,
    deliveries: Math.round(deliveries ?? 0),
    ackP95Ms: (acks ?? 0) === 0 ? null : quantile(distribution, 0.95),
    handlerRuns: Math.round(runs ?? 0),
    handlerFailureRate: (runs ?? 0) === 0 ? null : Math.min(1, (failures ?? 0) / (runs ?? 1)),
  };
}

/** `Since deployment abc, 02:00 UTC: 12.0 % of the handlers' calls fail (before: 0.1 %); ack p95 is 12 ms (before: 11 ms).` */
function describeChange(last: DeploymentFigures, before: DeploymentFigures | null, when: When): string {
  const compared = (now: string, then: string | undefined) => (then === undefined ? now : `${now} (before: ${then})`);
  const failures = compared(
    last.handlerFailureRate === null
      ? "no handler ran"
      : `${formatShare(last.handlerFailureRate)} of the handlers’ calls failed`,
    before === null ? undefined : formatShare(before.handlerFailureRate),
  );
  const latency = compared(
    `ack p95 is ${formatMs(last.ackP95Ms)}`,
    before === null ? undefined : formatMs(before.ackP95Ms),
  );
  return `Since deployment ${last.id}, first seen ${when(last.firstSeenAt)}: ${failures}; ${latency}.`;
}
