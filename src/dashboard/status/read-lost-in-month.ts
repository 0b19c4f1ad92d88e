import { sql } from "drizzle-orm";

import { countMax } from "#store/connection/capped-count.ts";
import type { Database } from "#store/connection/database.ts";
import { deliveryOutcomes } from "#store/deliveries/delivery-outcomes.ts";
import { unfinishedDelivery } from "#store/deliveries/unfinished-delivery.ts";

const monthMs = 30 * 24 * 3_600_000;

/**
 * How many deliveries of the last 30 days were lost, at most one more than `countMax`: a loss is not forgotten after a day.
 * Reads only the index of what is not complete. Rejects with the driver's error.
 */
export async function readLostInMonth(db: Database, nowMs: number): Promise<number> {
  const lost = sql`(
    select * from relay.deliveries
    where received_at >= ${new Date(nowMs - monthMs).toISOString()}::timestamptz and ${unfinishedDelivery}
      and outcome = 'lost' and not probe
    order by received_at desc limit ${countMax + 1})`;
  const { rows } = await db.execute<{ count: number }>(
    sql`select count(*)::int as count from ${deliveryOutcomes(lost)} d where became = 'lost'`,
  );
  return rows[0]?.count ?? 0;
}
