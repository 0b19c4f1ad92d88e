import { sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";

/** Events to be named in a message to the route `handlers`. */
export interface DueEvents {
  replayId: string | null;
  eventIds: number[];
}

/**
 * Takes open events that are due, not leased, and that no message is under way for, the longest due first, and notes that
 * a message is under way for each until `queuedMs` from now: two callers at once take different ones. A lease that ended
 * without a result has left its event open too. Throws `STORE_UNAVAILABLE`.
 */
export async function takeDueEvents(
  db: Database,
  { limit, queuedMs }: { limit: number; queuedMs: number },
): Promise<DueEvents[]> {
  const { rows } = await withStoreErrors(() =>
    db.execute<{ replayId: string | null; ids: number[] }>(sql`
      with due as (
        select event_id from relay.event_work
        where state = 'open' and next_attempt_at <= now() and (leased_until is null or leased_until < now())
          and (queued_until is null or queued_until < now())
        order by next_attempt_at, event_id limit ${limit} for update skip locked),
      taken as (
        update relay.event_work w set queued_until = now() + ${queuedMs} * interval '1 millisecond'
        from due where w.event_id = due.event_id returning w.event_id, w.replay_id)
      select replay_id as "replayId", array_agg(event_id::float8 order by event_id) as ids from taken group by replay_id`),
  );
  return rows.map(({ replayId, ids }) => ({ replayId, eventIds: ids }));
}

/** Notes that no message is under way for these events after all. Throws `STORE_UNAVAILABLE`. */
export async function releaseDueEvents(db: Database, eventIds: readonly number[]): Promise<void> {
  await withStoreErrors(() =>
    db.execute(
      sql`update relay.event_work set queued_until = null where event_id = any(${sql.param([...eventIds])}::bigint[])`,
    ),
  );
}
