import { deliveryBody, rawBodyOf } from "#operations/delivery-body.ts";
import { CliFailure } from "#platform/failure.ts";
import type { StoredItem } from "#store/ingest/stored-item.ts";

/**
 * The events of a dead letter as the body of one delivery from Meta, to be sent with `relay trigger`; their keys are the same
 * again. A body that was not JSON is returned as its bytes. Throws a `CliFailure` without events.
 */
export function toDeliveryBody(events: readonly StoredItem[]): Uint8Array {
  const [first] = events;
  if (first === undefined) throw new CliFailure("The dead letter holds no events that could be sent again.");
  const raw = events.length === 1 ? rawBodyOf(first) : null;
  return Buffer.from(raw === null ? JSON.stringify(deliveryBody(events), null, 2) : Buffer.from(raw, "base64"));
}
