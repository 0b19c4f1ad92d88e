import { lt, sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { wrongTokens } from "../schema/audit-schema.ts";

/** Wrong tokens that all processes of the relay were sent within the last minute. */
export interface WrongTokens {
  ofClient: number;
  ofAll: number;
}

/**
 * Adds a wrong token of this client and counts those of the last minute, this one included; older rows are deleted. Two
 * that come at the same moment may not see each other. Throws `STORE_UNAVAILABLE`.
 */
export async function countWrongToken(db: Database, client: string): Promise<WrongTokens> {
  return withStoreErrors(async () => {
    const { rows } = await db.$client.query<WrongTokens>(
      `with added as (insert into relay.wrong_tokens (client) values ($1)),
         removed as (delete from relay.wrong_tokens where at < clock_timestamp() - interval '1 minute')
       select 1 + count(*) filter (where client = $1)::int as "ofClient", 1 + count(*)::int as "ofAll"
       from relay.wrong_tokens where at > clock_timestamp() - interval '1 minute'`,
      [client],
    );
    return rows[0] ?? { ofClient: 1, ofAll: 1 };
  });
}

/** Deletes the rows that no later wrong token has deleted, because a network's address is kept no longer than necessary. */
export async function forgetWrongTokens(db: Database): Promise<number> {
  return withStoreErrors(async () => {
    const { rowCount } = await db
      .delete(wrongTokens)
      .where(lt(wrongTokens.at, sql`clock_timestamp() - interval '1 minute'`));
    return rowCount ?? 0;
  });
}
