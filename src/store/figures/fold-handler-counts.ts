import { sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { foldLock, foldRowsMax } from "./fold-limits.ts";

/** Counters stop here: larger numbers are not exact in JavaScript, and the column's own limit is not far. */
const countMax = sql.raw(String(Number.MAX_SAFE_INTEGER));

/** What the handlers counted, by name, folded or not: a subquery for `from` with the columns `name` and `count`. */
export const allHandlerCounts = sql`(
  select name, least(greatest(sum(count), -${countMax}), ${countMax})::bigint as count
  from (
    select name, count from relay.handler_counts union all select name, count from relay.handler_count_increments
  ) counts
  group by name
)`;

/**
 * Adds what the handlers counted to the counters, each increment once, at most 5,000 of them; returns how many. Does
 * nothing while another call runs. Throws `STORE_UNAVAILABLE`.
 */
export async function foldHandlerCounts(db: Database): Promise<number> {
  const { rows } = await withStoreErrors(() =>
    db.execute<{ folded: number }>(sql`
      with taken as (
        delete from relay.handler_count_increments
        where ctid = any (array(select ctid from relay.handler_count_increments where ${foldLock} limit ${foldRowsMax}))
        returning name, count
      ), folded as (
        insert into relay.handler_counts as c (name, count)
        select name, least(greatest(sum(count), -${countMax}), ${countMax})::bigint from taken group by name order by name
        on conflict (name) do update
        set count = least(greatest(c.count::numeric + excluded.count, -${countMax}), ${countMax})::bigint
      )
      select count(*)::integer as folded from taken`),
  );
  return rows[0]?.folded ?? 0;
}
