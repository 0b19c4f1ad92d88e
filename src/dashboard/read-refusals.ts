import { desc } from "drizzle-orm";

import type { Database } from "#store/database.ts";
import { refusals } from "#store/figures-schema.ts";

/** One report of refused deliveries, which covers a few seconds at most. */
export interface RefusalItem {
  id: number;
  at: string;
  runtime: string;
  reason: string;
  count: number;
}

const newestMax = 100;

/** The newest hundred reports, newest first. */
export async function readNewestRefusals(db: Database): Promise<RefusalItem[]> {
  const { id, at, runtime, reason, count } = refusals;
  const rows = await db
    .select({ id, at, runtime, reason, count })
    .from(refusals)
    .orderBy(desc(at), desc(id))
    .limit(newestMax);
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}
