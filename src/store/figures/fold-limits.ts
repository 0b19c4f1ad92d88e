import { sql } from "drizzle-orm";

/** How many appended rows one statement folds. */
export const foldRowsMax = sql.raw("5000");

/**
 * True for the one statement that folds at a time. The lock is taken once, before any row is read, because it depends on
 * none of them; the transaction's end releases it.
 */
export const foldLock = sql`(select pg_try_advisory_xact_lock(7340120))`;
