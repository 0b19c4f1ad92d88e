import { sql } from "drizzle-orm";

import { capCount, countMax } from "#store/connection/capped-count.ts";
import type { Database } from "#store/connection/database.ts";
import { deliveryOutcomes } from "#store/deliveries/delivery-outcomes.ts";
import { unfinishedDelivery } from "#store/deliveries/unfinished-delivery.ts";

import type { Condition, Happened } from "./condition.ts";
import { isoOf, type Millis } from "./times.ts";

const dayMs = 24 * 60 * 60_000;
/** A batch is usually ingested within a second; QStash's first retry comes after 12 s. */
const onItsWayMs = 60_000;

interface Row extends Record<string, unknown> {
  became: "lost" | "published";
  count: number;
  sinceMs: Millis;
  lastMs: Millis;
}

export type UnfinishedDeliveries = Pick<Condition, "lost" | "notIngested">;

/**
 * What became of the last day's deliveries that are not complete. Reads only the index of those. Rejects with the driver's
 * error.
 */
export async function readUnfinishedDeliveries(db: Database, nowMs: number): Promise<UnfinishedDeliveries> {
  const at = (ms: number) => sql`${new Date(ms).toISOString()}::timestamptz`;
  const unfinished = (outcome: string, beforeMs: number) => sql`(
    select * from relay.deliveries
    where received_at >= ${at(nowMs - dayMs)} and received_at <= ${at(beforeMs)} and ${unfinishedDelivery}
      and outcome = ${outcome} and not probe
    order by received_at desc limit ${countMax + 1})`;
  const counted = sql`count(*)::int as count, (extract(epoch from min(received_at)) * 1000)::float8 as "sinceMs",
    (extract(epoch from max(received_at)) * 1000)::float8 as "lastMs"`;
  const { rows } = await db.execute<Row>(sql`
    select 'lost' as became, ${counted} from ${deliveryOutcomes(unfinished("lost", nowMs + dayMs))} d where became = 'lost'
    union all
    select 'published', ${counted} from ${deliveryOutcomes(unfinished("published", nowMs - onItsWayMs))} d
    where not complete and ingested_batches = 0`);
  const of = (became: Row["became"]): Happened => {
    const row = rows.find((one) => one.became === became);
    return { ...capCount(row?.count ?? 0), since: isoOf(row?.sinceMs ?? null), last: isoOf(row?.lastMs ?? null) };
  };
  return { lost: of("lost"), notIngested: of("published") };
}
