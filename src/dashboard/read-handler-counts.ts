import { asc, desc } from "drizzle-orm";

import type { Database } from "#store/database.ts";
import { handlerCounts } from "#store/schema.ts";

export interface HandlerCount {
  name: string;
  count: number;
}

/** The handlers' counters, the largest first. */
export function readHandlerCounts(db: Database, limit = 20): Promise<HandlerCount[]> {
  return db.select().from(handlerCounts).orderBy(desc(handlerCounts.count), asc(handlerCounts.name)).limit(limit);
}
