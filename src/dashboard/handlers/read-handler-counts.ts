import { sql } from "drizzle-orm";

import type { Database } from "#store/connection/database.ts";
import { allHandlerCounts } from "#store/figures/fold-handler-counts.ts";

export interface HandlerCount {
  name: string;
  count: number;
}

/** The handlers' counters, the largest first: what maintenance has folded, and what it has not yet. */
export async function readHandlerCounts(db: Database, limit = 20): Promise<HandlerCount[]> {
  const { rows } = await db.execute<HandlerCount & Record<string, unknown>>(sql`
    select name, count::float8 as count from ${allHandlerCounts} counts
    order by counts.count desc, name limit ${limit}
  `);
  return rows;
}
