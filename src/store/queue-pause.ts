import type { Database } from "./database.ts";
import { withStoreErrors } from "./store-error.ts";

/** Has drains leave batches where they are, or take them again. Safe to repeat. Throws `STORE_UNAVAILABLE`. */
export async function setQueuePause(db: Database, paused: boolean): Promise<void> {
  const change = paused
    ? "insert into relay.queue_pause (is_paused) values (true) on conflict do nothing"
    : "delete from relay.queue_pause";
  await withStoreErrors(() => db.$client.query(change));
}

/** Throws `STORE_UNAVAILABLE`. */
export async function readQueuePause(db: Database): Promise<boolean> {
  const { rowCount } = await withStoreErrors(() => db.$client.query("select from relay.queue_pause"));
  return rowCount !== 0;
}
