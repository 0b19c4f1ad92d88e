import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { rowsPerStep } from "./retention.ts";

/** Thirteen months, so that a yearly review has the whole year. */
export const auditKeptDays = 400;

const dayMs = 24 * 60 * 60_000;

/**
 * One step of removing rows of the audit that are older than `auditKeptDays`, and sessions that have expired. Nothing else
 * deletes a row of the audit. Resolves with how many rows are gone. Throws `STORE_UNAVAILABLE`.
 */
export async function retainAudit(db: Database, nowMs: number): Promise<number> {
  const remove = async (table: "audit" | "sessions", column: "at" | "expires_at", beforeMs: number) => {
    const { rowCount } = await db.$client.query(
      `delete from relay.${table} where id = any (array(select id from relay.${table} where ${column} < $1 limit ${rowsPerStep}))`,
      [new Date(beforeMs)],
    );
    return rowCount ?? 0;
  };
  return withStoreErrors(
    async () =>
      (await remove("audit", "at", nowMs - auditKeptDays * dayMs)) + (await remove("sessions", "expires_at", nowMs)),
  );
}
