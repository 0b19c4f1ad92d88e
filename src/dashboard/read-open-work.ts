import { sql } from "drizzle-orm";

import type { Database } from "#store/database.ts";

import { isoText } from "./iso-text.ts";

/** What is known of maintenance, and from it. */
export interface MaintenanceFacts {
  /** When a part of it last ran; null if none ever did, or if that is unknown. */
  maintenanceRanAt: string | null;
  /** Since when QStash holds the batches back; null if it does not, or if that is unknown. */
  ingestionPausedSince: string | null;
}

/** What is not handled. */
export interface OpenWork extends MaintenanceFacts {
  /** Events by their state, see `EventState`. */
  open: number;
  retrying: number;
  dead: number;
  /** When the oldest event that is open or retrying was ingested. */
  oldestAt: string | null;
  /** Since when the event waits that should have been tried first, though no consumer has it. */
  dueSince: string | null;
}

/** Counts the events that are open, retried or dead. The table holds nothing else, so the cost is theirs alone. */
export async function readOpenWork(db: Database): Promise<OpenWork> {
  const { rows } = await db.execute<Omit<OpenWork, keyof MaintenanceFacts> & Record<string, unknown>>(sql`
    select w.retrying::int as retrying, w.dead::int as dead, (w.total - w.retrying - w.dead)::int as open,
      ${isoText(sql`e.ingested_at`)} as "oldestAt", ${isoText(sql`w.due_since`)} as "dueSince"
    from (
      select count(*) as total, count(*) filter (where state = 'dead') as dead,
        count(*) filter (where state = 'open' and (first_failed_at is not null or deaths > 0)) as retrying,
        min(event_id) filter (where state = 'open') as oldest_id,
        min(next_attempt_at) filter (where state = 'open' and next_attempt_at <= now()
          and (leased_until is null or leased_until <= now())) as due_since
      from relay.event_work
    ) w
    left join relay.events e on e.id = w.oldest_id
  `);
  const counted = rows[0] ?? { open: 0, retrying: 0, dead: 0, oldestAt: null, dueSince: null };
  return { ...counted, ...(await readMaintenanceFacts(db)) };
}

/** The part `pause` does not count as a run, because pausing records it, too. */
export async function readMaintenanceFacts(db: Database): Promise<MaintenanceFacts> {
  const { rows } = await db.execute<MaintenanceFacts & Record<string, unknown>>(sql`
    select ${isoText(sql`max(ran_at) filter (where name <> 'pause' and name not like 'diagnosis.%')`)} as "maintenanceRanAt",
      max(result ->> 'since') filter (where name = 'pause') as "ingestionPausedSince"
    from relay.maintenance_parts`);
  return rows[0] ?? { maintenanceRanAt: null, ingestionPausedSince: null };
}

/** It runs every five minutes; so late, it has missed three times. */
const overdueMs = 15 * 60_000;

/** Whether open events wait for maintenance, which has not run for a quarter of an hour, or never. */
export function isMaintenanceOverdue({ dueSince, maintenanceRanAt }: OpenWork, nowMs: number): boolean {
  const isLate = maintenanceRanAt === null || nowMs - Date.parse(maintenanceRanAt) > overdueMs;
  return isLate && dueSince !== null && nowMs - Date.parse(dueSince) > waitMs;
}

/** A lost message is found by maintenance; for shorter, the event may just be on its way. */
const waitMs = 60_000;
