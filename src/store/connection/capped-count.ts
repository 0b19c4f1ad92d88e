import { sql, type SQL } from "drizzle-orm";

import type { Database } from "./database.ts";

/** How many rows there are: exact, or at least so many. */
export interface Count {
  count: number;
  /** Whether counting ended before the last row: at 10,000, or where no index answers when enough was looked at. */
  isCapped: boolean;
}

/** Up to so many rows are counted one by one: people read no larger number exactly. */
export const countMax = 10_000;

/** Counts the rows of `rows`, a query without a limit, up to 10,000. An index should answer it. */
export async function readCappedCount(db: Database, rows: SQL): Promise<Count> {
  const { rows: counted } = await db.execute<{ count: number }>(sql`
    select count(*)::int as count from (select from (${rows}) all_rows limit ${countMax + 1}) counted
  `);
  return capCount(counted[0]?.count ?? 0);
}

/** A count of at most 10,000 and one, as it is answered. */
export function capCount(count: number): Count {
  return { count: Math.min(count, countMax), isCapped: count > countMax };
}
