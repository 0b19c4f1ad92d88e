import { sql, type SQL } from "drizzle-orm";

import type { Database } from "#store/connection/database.ts";

/** Events at or above `low` and below `high`. */
export interface IdBounds {
  low: number;
  high: number;
}

/**
 * Ids are given out in the order of ingestion, but a statement commits some time after it has taken its ids. No statement
 * takes as long as this.
 */
const disorderMs = 60_000;

/** Ids outside of which no event was ingested from `from` on and before `to`; inside there may be others. */
export async function eventIdsBetween(
  db: Database,
  { from, to }: { from?: Date | undefined; to?: Date | undefined },
): Promise<IdBounds> {
  const everything: IdBounds = { low: 0, high: Number.MAX_SAFE_INTEGER };
  if (from === undefined && to === undefined) return everything;
  const { rows } = await db.execute<{ low: number | null; high: number | null }>(sql`
    select ${from === undefined ? sql`null` : firstSince(from.getTime() - disorderMs)} as low,
      ${to === undefined ? sql`null` : firstSince(to.getTime() + disorderMs)} as high
  `);
  return { low: rows[0]?.low ?? everything.low, high: rows[0]?.high ?? everything.high };
}

/** Halves the ids until one is left: some twenty looks into the primary key, however many events there are. */
function firstSince(epochMs: number): SQL {
  return sql`(
    with recursive search (low, high) as (
      select coalesce(min(id), 0), coalesce(max(id), 0) + 1 from relay.events
      union all
      select case when middle.is_since then low else middle.id + 1 end,
        case when middle.is_since then (low + high) / 2 else high end
      from search
      cross join lateral (
        select id, ingested_at >= ${new Date(epochMs).toISOString()}::timestamptz as is_since
        from relay.events
        where id >= (low + high) / 2
        order by id
        limit 1
      ) middle
      where low < high
    )
    select low::float8 from search where low >= high limit 1
  )`;
}
