import { sql } from "drizzle-orm";

import { RelayError } from "#platform/errors.ts";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";

/** What is needed to send an event again as Meta would. */
export interface StoredItem {
  kind: string;
  accountId: string;
  sentAtMs: number | null;
  standby: boolean;
  data: unknown;
}

/**
 * One event as it can be sent again. Throws `NOT_FOUND`, `CONFLICT` if its data was erased, and `STORE_UNAVAILABLE`.
 */
export async function readStoredItem(db: Database, id: number): Promise<StoredItem> {
  const { rows } = await withStoreErrors(() =>
    db.execute<Omit<StoredItem, "data"> & { data: string; isErased: boolean } & Record<string, unknown>>(sql`
      select kind, account_id as "accountId", (extract(epoch from sent_at) * 1000)::float8 as "sentAtMs", standby,
        erased_at is not null as "isErased", data::text as data
      from relay.events where id = ${id}`),
  );
  const [row] = rows;
  if (row === undefined) throw new RelayError("NOT_FOUND", "There is no event with this id; it may have aged out");
  const { isErased, data, ...item } = row;
  if (isErased) throw new RelayError("CONFLICT", "The data of this event was erased: nothing of it can be sent again");
  return { ...item, data: JSON.parse(data) as unknown };
}
