import { sql } from "drizzle-orm";

import type { Database } from "#store/database.ts";

export interface HandlerCount {
  name: string;
  count: number;
}

/** The handlers' counters, the largest first: what maintenance has folded, and what it has not yet. */
export async function readHandlerCounts(db: Database, limit = 20): Promise<HandlerCount[]> {
  const { rows } = await db.execute<HandlerCount & Record<string, unknown>>(sql`
    select name, sum(count)::float8 as count
    from (
      select name, count from relay.handler_counts
      union all
      select name, count from relay.handler_count_increments
    ) counts
    group by name
    order by sum(count) desc, name
    limit ${limit}
  `);
  return rows;
}
