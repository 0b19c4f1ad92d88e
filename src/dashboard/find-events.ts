import { sql, type SQL } from "drizzle-orm";

import type { Clock } from "#platform/clock.ts";
import type { Database } from "#store/database.ts";

import { eventConditions } from "./event-conditions.ts";
import type { EventFilter } from "./event-filter.ts";
import { eventIdsBetween } from "./event-ids-between.ts";
import { findEventSource } from "./event-source.ts";
import { scan, type Scanned } from "./scan.ts";

/** The ids of one page of events, the newest that match below the cursor, newest first; positions are ids too. */
export async function findEvents(
  db: Database,
  filter: EventFilter,
  clock: Pick<Clock, "monotonicMs">,
): Promise<Scanned<number, number>> {
  const source = await findEventSource(db, filter);
  const { low, high } = await eventIdsBetween(db, filter);
  const conditions = eventConditions(filter, source.settles);
  const candidates = (below: number, count: number) => sql`(
    select e.* from ${source.from}
    where ${source.where} and ${source.id} >= ${low} and ${source.id} < ${below} ${withinTimes(filter)}
    order by ${source.id} desc
    limit ${count}
  )`;
  return scan<number, number>({
    limit: filter.limit,
    start: Math.min(filter.cursor ?? high, high),
    isWhole: conditions.length === 0,
    clock,
    async find(below = high, step, wanted) {
      const { rows } = await db.execute<{ id: number }>(sql`
        select e.id::float8 as id
        from ${candidates(below, step)} e
        left join relay.event_work w on w.event_id = e.id
        where ${sql.join([sql`true`, ...conditions], sql` and `)}
        order by e.id desc
        limit ${wanted}
      `);
      return rows.map(({ id }) => id);
    },
    async measure(below = high, step) {
      const { rows } = await db.execute<{ count: number; last: number | null }>(sql`
        select count(*)::int as count, min(id)::float8 as last from ${candidates(below, step)} e
      `);
      return { count: rows[0]?.count ?? 0, last: rows[0]?.last ?? undefined };
    },
    positionOf: (id) => id,
  });
}

function withinTimes({ from, to }: EventFilter): SQL {
  const since = from === undefined ? sql`` : sql`and e.ingested_at >= ${from.toISOString()}::timestamptz`;
  const before = to === undefined ? sql`` : sql`and e.ingested_at < ${to.toISOString()}::timestamptz`;
  return sql`${since} ${before}`;
}
