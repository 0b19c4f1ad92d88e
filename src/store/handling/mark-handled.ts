import type { Database } from "../connection/database.ts";
import { runStatement } from "../connection/named-statement.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { markHandledStatement } from "./settle-statement.ts";

/**
 * Notes which of these deliveries have every batch stored and every event handled: for settlements that could not see one
 * another, and for events that end without one. A repeated call changes nothing. Throws `STORE_UNAVAILABLE`.
 */
export async function markHandled(db: Database, deliveryIds: readonly string[]): Promise<void> {
  if (deliveryIds.length === 0) return;
  await withStoreErrors(() => runStatement(db.$client, markHandledStatement, { deliveryIds }));
}
