import { sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import type { Replay } from "./replays.ts";

export interface Progress {
  done: number;
  /** Tried and not done so far. */
  failed: number;
  /** Published and not tried yet, or under way. */
  pending: number;
}

export interface ReplayProgress {
  /** Done: handled. */
  events: Progress;
  /** Done: ingested. */
  batches: Progress;
}

/**
 * How far a replay is. Counted from the attempts and the work that carry its id, and not added up, so that a message that is
 * delivered twice counts once. Throws `STORE_UNAVAILABLE`.
 */
export async function readProgress(db: Database, replay: Pick<Replay, "id" | "startedAtMs">): Promise<ReplayProgress> {
  const startedAt = new Date(replay.startedAtMs ?? 0).toISOString();
  const { rows } = await withStoreErrors(() =>
    db.execute<{ counts: number[] }>(sql`
      with tried as (
        select event_id, bool_or(error_name is null) as is_handled from relay.handler_attempts where replay_id = ${replay.id}
        group by event_id),
      letters as (
        -- One that was given up after the start has been tried.
        select resolved_at is not null as is_ingested, recorded_at > ${startedAt}::timestamptz as is_tried
        from relay.dead_letters where resolved_by = ${replay.id} and source = 'qstash')
      select array[
        (select count(*) from tried where is_handled),
        (select count(*) from tried where not is_handled),
        (select count(*) from relay.event_work where replay_id = ${replay.id} and state = 'open'
          and (attempts = 0 or leased_until is not null)),
        (select count(*) from letters where is_ingested),
        (select count(*) from letters where not is_ingested and is_tried),
        (select count(*) from letters where not is_ingested and not is_tried)]::float8[] as counts`),
  );
  const [done = 0, failed = 0, pending = 0, ingested = 0, refused = 0, underWay = 0] = rows[0]?.counts ?? [];
  return { events: { done, failed, pending }, batches: { done: ingested, failed: refused, pending: underWay } };
}

/**
 * Gives back what a cancelled replay opened and no handler has begun: an event that had been handled needs nothing, one that was
 * a dead letter is one again, and any other is tried as if there had been no replay. Throws `STORE_UNAVAILABLE`.
 */
export async function releaseReplayEvents(db: Database, replayId: string): Promise<void> {
  const isWaiting = sql`w.replay_id = ${replayId} and w.state = 'open' and w.attempts = 0 and w.leased_until is null`;
  const isDead = sql`exists (select from relay.dead_letters l where l.source = 'handler' and l.source_id = w.event_id::text
    and l.resolved_at is null)`;
  await withStoreErrors(async () => {
    await db.execute(sql`delete from relay.event_work w where ${isWaiting} and w.fence = 1`);
    await db.execute(sql`
      update relay.event_work w set replay_id = null, queued_until = null, state = case when ${isDead} then 'dead' else 'open' end
      where ${isWaiting}`);
    await db.execute(
      sql`update relay.dead_letters set resolved_by = null where resolved_by = ${replayId} and resolved_at is null`,
    );
  });
}
