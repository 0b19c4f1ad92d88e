import { sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { storableInstant, storableText } from "../connection/storable.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { deliveryUuid } from "../ingest/delivery-uuid.ts";
import { deliveryAttempts } from "../schema/delivery-schema.ts";

/** One call of the consumer that was not the first success of its batch. */
export interface DeliveryAttempt {
  /** The wire's id; null if the call did not tell it. */
  deliveryId: string | null;
  atMs: number;
  /** How long it took. */
  ms: number;
  batchIndex: number | null;
  /** How often the queue had delivered it before; null for a call by the fallback. */
  retried: number | null;
  /** The HTTP status of our answer. */
  status: number;
  /** Of our error; null for a success. */
  errorCode: string | null;
  messageId: string | null;
  deployment: string | null;
  /** The events of a batch that was ingested before; 0 for a call that failed. */
  duplicates: number;
}

/** Records a call of the consumer, and counts the events that it brought again. Throws `STORE_UNAVAILABLE`. */
export async function saveDeliveryAttempt(db: Database, attempt: DeliveryAttempt): Promise<void> {
  const { deliveryId, messageId, deployment, atMs, duplicates, ...rest } = attempt;
  const id = deliveryId === null ? null : deliveryUuid(deliveryId);
  await withStoreErrors(async () => {
    await db.insert(deliveryAttempts).values({
      ...rest,
      at: storableInstant(atMs) ?? new Date(0),
      deliveryId: id,
      messageId: messageId === null ? null : storableText(messageId),
      deployment: deployment === null ? null : storableText(deployment),
    });
    if (id !== null && duplicates > 0) await measureDuplicates(db, id, duplicates, attempt.retried === null);
  });
}

async function measureDuplicates(db: Database, id: string, count: number, isFallback: boolean): Promise<void> {
  await db.execute(sql`
    insert into relay.measurements (at, runtime, region, deployment, cold, probe, facts)
    select now(), runtime, region, deployment, cold_start, probe, json_build_object('counts', json_build_array(json_build_array(
      'duplicates', ${count}::integer, case when ${isFallback}::boolean or via = 'fallback' then 'fallback' else 'qstash' end)))
    from relay.deliveries where id = ${id}::uuid
  `);
}
