import { sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { foldLock, foldRowsMax } from "./fold-limits.ts";

/** Above this many rows new findings are counted under the path `*`: data from outside must not fill the database. */
export const driftRowsMax = 1_000;

/** The drift, folded or not: a subquery for `from` with the columns of `drift`. */
export const allDrift = sql`(
  select kind, path, finding, shape, sum(count)::bigint as count, min(first_seen) as first_seen,
    max(last_seen) as last_seen, max(event_id) as event_id
  from (
    select * from relay.drift
    union all
    select kind, path, finding, shape, count, seen_at, seen_at, event_id from relay.drift_findings
  ) d (kind, path, finding, shape, count, first_seen, last_seen, event_id)
  group by kind, path, finding, shape
)`;

/**
 * Adds the appended findings to the drift, each once, at most 5,000 of them; returns how many. Does nothing while another
 * call runs. Throws `STORE_UNAVAILABLE`.
 */
export async function foldDrift(db: Database): Promise<number> {
  const { rows } = await withStoreErrors(() =>
    db.execute<{ folded: number }>(sql`
      with taken as (
        delete from relay.drift_findings
        where ctid = any (array(select ctid from relay.drift_findings where ${foldLock} limit ${foldRowsMax}))
        returning *
      ), summed as (
        select kind, path, finding, shape, sum(count) as count, min(seen_at) as first_seen, max(seen_at) as last_seen,
          max(event_id) as event_id,
          exists (select from relay.drift d where (d.kind, d.path, d.finding, d.shape) = (t.kind, t.path, t.finding, t.shape)) as is_known
        from taken t group by kind, path, finding, shape
      ), placed as (
        select *, is_known or (select count(*) from relay.drift)
          + row_number() over (partition by is_known order by kind, path, finding, shape) <= ${sql.raw(String(driftRowsMax))} as has_place
        from summed
      ), admitted as (
        select kind, case when has_place then path else '*' end as path, finding,
          case when has_place then shape else '*' end as shape, sum(count) as count, min(first_seen) as first_seen,
          max(last_seen) as last_seen, max(event_id) as event_id
        from placed group by 1, 2, 3, 4
      ), folded as (
        insert into relay.drift as d (kind, path, finding, shape, count, first_seen, last_seen, event_id)
        select * from admitted
        on conflict (kind, path, finding, shape) do update set count = d.count + excluded.count,
          first_seen = least(d.first_seen, excluded.first_seen), last_seen = greatest(d.last_seen, excluded.last_seen),
          event_id = greatest(d.event_id, excluded.event_id)
      )
      select count(*)::integer as folded from taken`),
  );
  return rows[0]?.folded ?? 0;
}
