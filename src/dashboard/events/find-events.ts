import { sql, type SQL } from "drizzle-orm";

import type { Clock } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";

import type { Count } from "#store/connection/capped-count.ts";
import { countMatches, type Measured, scan, type Scanned, type Step } from "../lists/scan.ts";
import { eventConditions } from "./event-conditions.ts";
import type { EventFilter } from "./event-filter.ts";
import { eventIdsBetween } from "./event-ids-between.ts";
import { findEventSource } from "./event-source.ts";

export interface FoundEvents extends Scanned<number, number> {
  /** Of all pages; null unless the filter asks for it. */
  total: Count | null;
}

/** A step that searches texts ends after so many bytes of data as they are stored, compressed. */
const searchedBytesMax = 6_000_000;

/** The ids of one page of events, the newest that match below the cursor, newest first; positions are ids too. */
export async function findEvents(
  db: Database,
  filter: EventFilter,
  clock: Pick<Clock, "monotonicMs">,
): Promise<FoundEvents> {
  const source = await findEventSource(db, filter);
  const { low, high } = await eventIdsBetween(db, filter);
  const conditions = eventConditions(filter, source.settles);
  const isSearch = filter.q !== undefined && !source.settles.includes("q");
  const candidates = ({ below = high, last = low, size }: Step<number>) => sql`(
    select e.* from ${source.from}
    where ${source.where} and ${source.id} >= ${last} and ${source.id} < ${below} ${withinTimes(filter)}
    order by ${source.id} desc
    limit ${size}
  )`;
  const matches = (step: Step<number>) => sql`
    from ${candidates(step)} e
    left join relay.event_work w on w.event_id = e.id
    where ${sql.join([sql`true`, ...conditions], sql` and `)}`;
  const shared = {
    isWhole: conditions.length === 0,
    clock,
    measure: (below: number | undefined, size: number) =>
      measure(db, candidates({ below, last: undefined, size }), size, isSearch),
  };
  const page = await scan<number, number>({
    ...shared,
    limit: filter.limit,
    start: Math.min(filter.cursor ?? high, high),
    async find(step, wanted) {
      const { rows } = await db.execute<{ id: number }>(
        sql`select e.id::float8 as id ${matches({ ...step, size: Math.max(step.size, wanted) })} order by e.id desc limit ${wanted}`,
      );
      return rows.map(({ id }) => id);
    },
    positionOf: (id) => id,
  });
  const count = async (step: Step<number>) => {
    const { rows } = await db.execute<{ count: number }>(sql`select count(*)::int as count ${matches(step)}`);
    return rows[0]?.count ?? 0;
  };
  return { ...page, total: filter.count === true ? await countMatches({ ...shared, count }) : null };
}

/** Where the step ends. Reading a text is what takes time: a step ends early where events are large. */
async function measure(db: Database, candidates: SQL, size: number, isSearch: boolean): Promise<Measured<number>> {
  const bytes = sql`pg_column_size(e.data)`;
  const bytesBefore = isSearch ? sql`sum(${bytes}) over (order by e.id desc) - ${bytes}` : sql`0`;
  const { rows } = await db.execute<{ seen: number; all: number; last: number | null }>(sql`
    select (count(*) filter (where is_within))::int as seen, count(*)::int as all,
      (min(id) filter (where is_within))::float8 as last
    from (select e.id, ${bytesBefore} < ${searchedBytesMax} as is_within from ${candidates} e) e
  `);
  const { seen, all, last } = rows[0] ?? { seen: 0, all: 0, last: null };
  return { seen, last: last ?? undefined, isEnd: all < size && seen === all };
}

function withinTimes({ from, to }: EventFilter): SQL {
  const since = from === undefined ? sql`` : sql`and e.ingested_at >= ${from.toISOString()}::timestamptz`;
  const before = to === undefined ? sql`` : sql`and e.ingested_at < ${to.toISOString()}::timestamptz`;
  return sql`${since} ${before}`;
}
