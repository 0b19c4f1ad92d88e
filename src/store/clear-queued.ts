import { sql } from "drizzle-orm";

import type { Database } from "./database.ts";
import { withStoreErrors } from "./store-error.ts";

/** Notes that no message is under way for these events, so that maintenance publishes one. Throws `STORE_UNAVAILABLE`. */
export async function clearQueued(db: Database, eventIds: readonly number[]): Promise<void> {
  const ids = sql.param([...eventIds]);
  await withStoreErrors(() =>
    db.execute(
      sql`update relay.event_work set queued_until = null where event_id = any(${ids}::bigint[]) and leased_until is null`,
    ),
  );
}
