import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/connection/database.ts";
import { readStoredItem } from "#store/ingest/stored-item.ts";

import { type DeliveryBody, deliveryBody, rawBodyOf } from "./delivery-body.ts";
import { maskIds, type MaskOptions } from "./mask-ids.ts";

/**
 * An event as a delivery that `relay trigger` sends, with invented ids and texts in place of the real ones. Throws
 * `NOT_FOUND`, `CONFLICT` if nothing of it is kept or it was not JSON, and `STORE_UNAVAILABLE`.
 */
export async function makeFixture(db: Database, eventId: number, options: MaskOptions): Promise<DeliveryBody> {
  const item = await readStoredItem(db, eventId);
  if (rawBodyOf(item) !== null) {
    throw new RelayError("CONFLICT", "The body was not JSON, so nothing in it can be masked: look at the event's data");
  }
  return maskIds(deliveryBody([item]), options) as DeliveryBody;
}
