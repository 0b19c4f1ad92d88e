import { sql } from "drizzle-orm";

import type { Database } from "./database.ts";
import { events } from "./schema.ts";

/**
 * Whether ingestion could store something now. An insert of no rows costs nothing, and fails where the server has become
 * read-only, the schema is missing or this role may not write; the pool then gives its connection up.
 */
export async function canWrite(db: Database): Promise<boolean> {
  try {
    await db.execute(sql`insert into ${events} (key) select '' where false`);
    return true;
  } catch {
    return false;
  }
}
