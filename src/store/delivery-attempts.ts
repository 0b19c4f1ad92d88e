import type { Database } from "./database.ts";
import { deliveryUuid } from "./delivery-uuid.ts";
import { deliveryAttempts } from "./delivery-schema.ts";
import { storableInstant, storableText } from "./storable.ts";
import { withStoreErrors } from "./store-error.ts";

/** One call of the consumer that was not the first success of its batch. */
export interface DeliveryAttempt {
  /** The wire's id; null if the call did not tell it. */
  deliveryId: string | null;
  atMs: number;
  /** How long it took. */
  ms: number;
  batchIndex: number | null;
  /** How often QStash had delivered it before; null for a call by the fallback. */
  retried: number | null;
  /** The HTTP status of our answer. */
  status: number;
  /** Of our error; null for a success. */
  errorCode: string | null;
  messageId: string | null;
  deployment: string | null;
}

/** Records a call of the consumer. Throws `STORE_UNAVAILABLE`. */
export async function saveDeliveryAttempt(db: Database, attempt: DeliveryAttempt): Promise<void> {
  const { deliveryId, messageId, deployment, atMs, ...rest } = attempt;
  await withStoreErrors(() =>
    db.insert(deliveryAttempts).values({
      ...rest,
      at: storableInstant(atMs) ?? new Date(0),
      deliveryId: deliveryId === null ? null : deliveryUuid(deliveryId),
      messageId: messageId === null ? null : storableText(messageId),
      deployment: deployment === null ? null : storableText(deployment),
    }),
  );
}
