/** Rows as the consumer and the reports would have left them, with everything a test does not care about filled in. */
import { sql } from "drizzle-orm";

import type { Database } from "#store/connection/database.ts";
import { deliveryUuid, hashUuid } from "#store/ingest/delivery-uuid.ts";
import { deliveries, deliveryBatches } from "#store/schema/delivery-schema.ts";
import { duplicateEvents, eventKeys, events, eventWork } from "#store/schema/event-schema.ts";

export type DeliveryRow = typeof deliveries.$inferInsert;
export type BatchRow = typeof deliveryBatches.$inferInsert;
export type EventRow = Omit<typeof events.$inferInsert, "id">;
export type WorkRow = Partial<typeof eventWork.$inferInsert>;

/** A reported, published delivery of which nothing is ingested yet. Ids may be any text, as on the wire. */
export function deliveryRow(row: Partial<DeliveryRow> & { id: string; receivedAt: Date }): DeliveryRow {
  const publishedAt = after(row.receivedAt, 40);
  return {
    runtime: "edge",
    region: "fra1",
    deployment: "dpl_1",
    coldStart: false,
    probe: false,
    bodyBytes: 512,
    events: 1,
    outcome: "published",
    ackMs: 3,
    publishStartedAt: after(row.receivedAt, 2),
    publishMs: 38,
    publishedAt,
    attempts: 1,
    timeouts: 0,
    errorType: null,
    reportedAt: publishedAt,
    ...row,
    id: deliveryUuid(row.id),
  };
}

/** The columns of a delivery whose only batch is ingested and handled. */
export function ingested(row: Partial<DeliveryRow> & { deliveredAt: Date }) {
  return {
    via: "queue",
    batches: 1,
    retried: 0,
    inserted: 1,
    duplicates: 0,
    ingestMs: 9.5,
    handlerMs: 4,
    ingestedAt: after(row.deliveredAt, 10),
    handledAt: after(row.deliveredAt, 15),
    messageId: "msg_1",
    ...row,
  } satisfies Partial<DeliveryRow>;
}

/** What a delivery has no report of: sampling makes that the rule. */
export const unreported = {
  events: null,
  outcome: null,
  publishMs: null,
  publishedAt: null,
  attempts: null,
  timeouts: null,
  reportedAt: null,
} satisfies Partial<DeliveryRow>;

/** A batch of a large delivery, from the second on. */
export function batchRow(row: Partial<BatchRow> & { deliveryId: string; deliveredAt: Date }): BatchRow {
  return {
    batchIndex: 1,
    retried: 0,
    inserted: 1,
    duplicates: 0,
    ingestedAt: after(row.deliveredAt, 10),
    ingestMs: 9.5,
    messageId: "msg_2",
    ...row,
    deliveryId: deliveryUuid(row.deliveryId),
  };
}

/** An event that is handled. */
export function eventRow(row: Partial<EventRow> & { key: string; deliveryId: string; ingestedAt: Date }): EventRow {
  return {
    batchIndex: 0,
    kind: "message",
    accountId: "17841400000000001",
    senderId: "6001",
    recipientId: "17841400000000001",
    occurredAt: row.ingestedAt,
    sentAt: row.ingestedAt,
    standby: false,
    test: false,
    drifted: false,
    data: JSON.stringify({ message: { mid: row.key, text: "hello" } }),
    ...row,
    deliveryId: deliveryUuid(row.deliveryId),
  };
}

/**
 * Inserts events as brought by their deliveries, whose range of ids grows by them; resolves with their ids, in order.
 */
export async function insertEvents(db: Database, rows: readonly EventRow[]): Promise<number[]> {
  const ids: number[] = [];
  for (const row of rows) {
    const { rows: next } = await db.execute<{ id: number }>(sql`select nextval('relay.event_ids')::float8 as id`);
    const id = next[0]?.id ?? 0;
    await db.insert(events).values({ id, ...row });
    await db.insert(eventKeys).values({ hash: hashUuid(row.key), eventId: id });
    const grown = sql`first_event_id = least(first_event_id, ${id}), last_event_id = greatest(last_event_id, ${id})`;
    await (row.batchIndex === 0
      ? db.execute(sql`update relay.deliveries set ${grown} where id = ${row.deliveryId}`)
      : db.execute(sql`
          update relay.delivery_batches set ${grown}
          where delivery_id = ${row.deliveryId} and batch_index = ${row.batchIndex}
        `));
    ids.push(id);
  }
  return ids;
}

/** Inserts one event that is not handled. */
export async function insertOpenEvent(db: Database, row: EventRow, work: WorkRow = {}): Promise<number> {
  const [eventId = 0] = await insertEvents(db, [row]);
  const { deliveryId, batchIndex, kind, ingestedAt } = row;
  await db
    .insert(eventWork)
    .values({ eventId, deliveryId, batchIndex, kind, nextAttemptAt: ingestedAt, attempts: 1, fence: 1, ...work });
  return eventId;
}

/** Notes that a delivery carried an event which another one had brought. */
export async function linkDuplicate(db: Database, deliveryId: string, eventId: number): Promise<void> {
  await db.insert(duplicateEvents).values({ deliveryId: deliveryUuid(deliveryId), eventId });
}

function after(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms);
}
