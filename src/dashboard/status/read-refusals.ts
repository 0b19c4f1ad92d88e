import { and, desc, gte, lt, sql } from "drizzle-orm";

import type { Database } from "#store/connection/database.ts";
import { refusals } from "#store/schema/figures-schema.ts";

/** How many deliveries one runtime refused for one reason. */
export interface RefusalTotal {
  runtime: string;
  reason: string;
  count: number;
  /** The first and the last in the window, ISO 8601. */
  since: string;
  until: string;
}

/** The refused deliveries of a window, the most frequent reason first. */
export async function readRefusalTotals(
  db: Database,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<RefusalTotal[]> {
  const count = sql<number>`sum(${refusals.count})::float8`;
  const rows = await db
    .select({
      runtime: refusals.runtime,
      reason: refusals.reason,
      count,
      since: sql<Date>`min(${refusals.at})`.mapWith(refusals.at),
      until: sql<Date>`max(${refusals.at})`.mapWith(refusals.at),
    })
    .from(refusals)
    .where(and(gte(refusals.at, new Date(fromMs)), lt(refusals.at, new Date(toMs))))
    .groupBy(refusals.runtime, refusals.reason)
    .orderBy(desc(count), refusals.reason);
  return rows.map((row) => ({ ...row, since: row.since.toISOString(), until: row.until.toISOString() }));
}
