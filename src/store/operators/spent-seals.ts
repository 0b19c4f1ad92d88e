import { lt } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { spentSeals } from "../schema/privacy-schema.ts";

export interface SpendableSeal {
  id: string;
  expiresAtMs: number;
}

/**
 * Ends a seal's validity; resolves with `false` if it had ended before. Of several calls at once only one gets `true`.
 * Throws `STORE_UNAVAILABLE`.
 */
export async function spendSeal(db: Database, { id, expiresAtMs }: SpendableSeal, nowMs: number): Promise<boolean> {
  return withStoreErrors(async () => {
    await db.delete(spentSeals).where(lt(spentSeals.expiresAt, new Date(nowMs)));
    const row = { id, expiresAt: new Date(expiresAtMs) };
    const spent = await db.insert(spentSeals).values(row).onConflictDoNothing().returning({ id: spentSeals.id });
    return spent.length > 0;
  });
}
