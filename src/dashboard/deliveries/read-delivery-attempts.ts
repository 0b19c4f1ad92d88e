import { sql } from "drizzle-orm";

import type { Database } from "#store/connection/database.ts";
import { ingestedBatches } from "#store/deliveries/delivery-outcomes.ts";

import { isoText } from "../iso-text.ts";

/** One call of the consumer, by the queue or by the fallback, to ingest a batch of a delivery. */
export interface DeliveryAttempt {
  at: string;
  ms: number;
  /** The batch's index; null if it could not be read. */
  batch: number | null;
  /** How often the queue had tried before; null for the fallback. */
  retried: number | null;
  status: number;
  error: string | null;
  /** The queue's id of the message; null for the fallback. */
  messageId: string | null;
  /** Of the batch's new events, how many are handled and how many have failed so far; null but for its first success. */
  handled: number | null;
  failed: number | null;
}

/** As many are shown on a page; a message has some ten attempts, a delivery rarely more than one message. */
export const attemptsMax = 200;

/** Which attempts of a delivery to read: all, or those of one batch; from the `skip`th on. */
export interface AttemptsPart {
  batch?: number | undefined;
  skip?: number | undefined;
}

/** Two hundred attempts to ingest a delivery at most, in the order of time. */
export async function readDeliveryAttempts(
  db: Database,
  uuid: string,
  { batch, skip = 0 }: AttemptsPart = {},
): Promise<DeliveryAttempt[]> {
  const ofBatch = batch === undefined ? sql`` : sql`where a.batch = ${batch}`;
  const { rows } = await db.execute<DeliveryAttempt & Record<string, unknown>>(sql`
    select ${isoText(sql`a.at`)} as at, a.ms, a.batch, a.retried, a.status, a.error, a.message_id as "messageId",
      a.handled, a.failed
    from (
      -- The first success of each batch.
      select b.delivered_at as at, b.ingest_ms as ms, b.batch_index as batch, b.retried, 200 as status, null as error,
        b.message_id, b.inserted - work.unhandled as handled, work.failed
      from ${ingestedBatches(uuid)} b
      cross join lateral (
        select count(*)::int as unhandled,
          count(*) filter (where w.first_failed_at is not null or w.state = 'dead')::int as failed
        from relay.event_work w
        where w.event_id between b.first_event_id and b.last_event_id
          and w.delivery_id = b.delivery_id and w.batch_index = b.batch_index
      ) work
      union all
      select at, ms, batch_index, retried, status, error_code, message_id, null, null
      from relay.delivery_attempts
      where delivery_id = ${uuid}
    ) a
    ${ofBatch}
    order by a.at, a.batch, a.retried, a.status
    limit ${attemptsMax} offset ${skip}
  `);
  return rows;
}
