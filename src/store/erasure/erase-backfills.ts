import { sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import type { BackfillAccount } from "../replays/backfill-row.ts";

/**
 * Takes a person out of the accounts of backfills, and out of what operators wrote. One that runs for this account stops,
 * because no token belongs to it any more. Throws `STORE_UNAVAILABLE`.
 */
export async function erasePersonInBackfills(db: Database, userId: string): Promise<void> {
  const word = `\\m${userId.replaceAll(/[^0-9A-Za-z]/g, "\\$&")}\\M`;
  await withStoreErrors(async () => {
    const { rows } = await db.execute<{ id: string; accounts: BackfillAccount[] }>(sql`
      select id, accounts from relay.backfills
      where strpos(accounts::text, ${JSON.stringify(userId)}) > 0 or strpos(reason, ${userId}) > 0`);
    for (const { id, accounts } of rows) {
      const left = accounts.map((one) => (one.id === userId ? { id: "erased", username: null } : one));
      await db.execute(sql`
        update relay.backfills set accounts = ${JSON.stringify(left)}::json, reason = regexp_replace(reason, ${word}, 'erased', 'g')
        where id = ${id}`);
    }
  });
}
