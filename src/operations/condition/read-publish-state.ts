import { sql } from "drizzle-orm";

import type { ForwardOutcome } from "#platform/delivery.ts";
import type { Database } from "#store/connection/database.ts";
import { deliveryOutcomes } from "#store/deliveries/delivery-outcomes.ts";

const recentMs = 15 * 60_000;
const newestConsidered = 20;

/**
 * `failing` if the newest three forwards that tried the queue were not published, or more than half of the newest twenty; null
 * if none tried it in the last 15 minutes. The first rule notices an outage at once, the second a queue that works only now
 * and then. Rejects with the driver's error.
 */
export async function readPublishState(db: Database, nowMs: number): Promise<"ok" | "failing" | null> {
  const { rows: forwards } = await db.execute<{ became: ForwardOutcome }>(sql`
    select became
    from ${deliveryOutcomes()} d
    -- An event too large for the queue goes to the fallback without an attempt, which says nothing about the queue.
    where received_at >= ${new Date(nowMs - recentMs).toISOString()}::timestamptz and attempts is distinct from 0
      and became is not null
    order by received_at desc
    limit ${newestConsidered}
  `);
  if (forwards.length === 0) return null;
  const failed = forwards.map(({ became }) => became !== "published");
  const lastThreeFailed = failed.length >= 3 && failed.slice(0, 3).every(Boolean);
  return lastThreeFailed || failed.filter(Boolean).length > failed.length / 2 ? "failing" : "ok";
}
