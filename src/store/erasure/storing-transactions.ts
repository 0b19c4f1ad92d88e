import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";

/**
 * Names of the transactions that have looked up whose data was erased and have not ended. Each holds a lock on that table until
 * its end, and every role sees all locks. Of a request that came since then they know nothing, so what they store is to be
 * erased once they have ended. Throws `STORE_UNAVAILABLE`.
 */
export async function readStoringTransactions(db: Database): Promise<string[]> {
  const { rows } = await withStoreErrors(() =>
    db.$client.query<{ name: string }>(
      `select distinct virtualtransaction as name from pg_locks
      where relation = 'relay.erased_people'::regclass and pid is distinct from pg_backend_pid()
        and database = (select oid from pg_database where datname = current_database())`,
    ),
  );
  return rows.map(({ name }) => name);
}
