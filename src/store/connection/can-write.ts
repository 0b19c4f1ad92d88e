import { sql } from "drizzle-orm";

import { eventKeys } from "../schema/event-schema.ts";
import type { Database } from "./database.ts";

/**
 * Whether ingestion could store something now. An insert of no rows costs nothing, and fails if the server is read-only,
 * the schema is missing or older than this release, or the role may not write; the pool then discards its connection. Never
 * rejects.
 */
export async function canWrite(db: Database): Promise<boolean> {
  try {
    await db.execute(sql`insert into ${eventKeys} (hash, event_id) select null, null where false`);
    return true;
  } catch {
    return false;
  }
}
