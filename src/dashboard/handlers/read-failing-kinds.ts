import { sql } from "drizzle-orm";

import type { Database } from "#store/connection/database.ts";

import { isoText } from "../iso-text.ts";

/** Events of one kind that are retried or dead now, for one error. */
export interface FailingKind {
  kind: string;
  /** The error's name and its code. */
  error: string;
  code: string | null;
  /** How many are retried or dead, and how many of them are dead. */
  events: number;
  dead: number;
  /** When the first of them failed first, on which deployment and where, and which event that was. */
  since: string;
  deployment: string | null;
  frame: string | null;
  firstEventId: number;
}

/** What fails now, the most events first. It reads the table of what is not handled, and nothing else. */
export async function readFailingKinds(db: Database): Promise<FailingKind[]> {
  const { rows } = await db.execute<FailingKind & Record<string, unknown>>(sql`
    select f.kind, f.error, f.code, f.events::float8 as events, f.dead::float8 as dead,
      ${isoText(sql`f.since`)} as since, f.first_id::float8 as "firstEventId", first.deployment, first.frame
    from (
      select kind, error_name as error, error_code as code, count(*) as events,
        count(*) filter (where state = 'dead') as dead, min(first_failed_at) as since,
        (array_agg(event_id order by first_failed_at, event_id))[1] as first_id
      from relay.event_work
      where first_failed_at is not null and error_name is not null
      group by kind, error_name, error_code
    ) f
    left join lateral (
      select a.deployment, a.frames[1] as frame
      from relay.handler_attempts a
      where a.event_id = f.first_id and a.error_name is not null
      order by a.at
      limit 1
    ) first on true
    order by f.events desc, f.kind, f.error, f.code
    limit 100
  `);
  return rows;
}
