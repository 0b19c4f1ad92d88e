import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { hashUuid } from "./delivery-uuid.ts";

/** Which of these idempotency keys have an event, erased ones included. Throws `STORE_UNAVAILABLE`. */
export async function findKnownKeys(db: Database, keys: readonly string[]): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set();
  const byHash = new Map(keys.map((key) => [hashUuid(key), key]));
  const { rows } = await withStoreErrors(() =>
    db.$client.query<{ hash: string }>("select hash from relay.event_keys where hash = any($1::uuid[])", [
      [...byHash.keys()],
    ]),
  );
  return new Set(rows.map(({ hash }) => byHash.get(hash) ?? ""));
}
