// Whether the drain holds batches back: the one row of `queue_pause`, which each drain looks at.
import { sql } from "drizzle-orm";

import { countMax } from "../connection/capped-count.ts";
import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";

/**
 * Whether batches are held back, and how many wait in Postgres, of more than 10,000 so many. Throws `STORE_UNAVAILABLE`.
 */
export async function readQueuePause(db: Database): Promise<{ paused: boolean; waiting: number }> {
  const { rows } = await withStoreErrors(() =>
    db.execute<{ paused: boolean; waiting: number }>(sql`
      select exists (select from relay.queue_pause) as paused, (
        select count(*)::int from (
          select from relay.queue_messages where route = 'instagram-ingestion' limit ${countMax}) m) as waiting`),
  );
  return rows[0] ?? { paused: false, waiting: 0 };
}

/** Holds batches back, or lets them go. Safe to repeat. Throws `STORE_UNAVAILABLE`. */
export async function changeQueuePause(db: Database, paused: boolean): Promise<void> {
  await withStoreErrors(() =>
    db.execute(
      paused
        ? sql`insert into relay.queue_pause default values on conflict do nothing`
        : sql`delete from relay.queue_pause`,
    ),
  );
}
