/** Rows as the consumer and the reports would have left them, with everything a test does not care about filled in. */
import type { Database } from "#store/database.ts";
import { deliveries, deliveryBatches, deliveryEvents, events } from "#store/schema.ts";

export type DeliveryRow = typeof deliveries.$inferInsert;
export type BatchRow = typeof deliveryBatches.$inferInsert;
export type EventRow = Omit<typeof events.$inferInsert, "id" | "ingestedAt"> & { ingestedAt: Date };

/** A reported, published delivery. */
export function deliveryRow(row: Partial<DeliveryRow> & { id: string; receivedAt: Date }): DeliveryRow {
  const publishedAt = new Date(row.receivedAt.getTime() + 40);
  return {
    runtime: "edge",
    region: "fra1",
    coldStart: false,
    probe: false,
    bodyBytes: 512,
    events: 1,
    outcome: "published",
    ackMs: 3,
    publishMs: 38,
    publishedAt,
    attempts: 1,
    timeouts: 0,
    errorType: null,
    reportedAt: publishedAt,
    ...row,
  };
}

/** The only batch of a delivery, ingested and handled. */
export function batchRow(row: Partial<BatchRow> & { deliveryId: string; deliveredAt: Date }): BatchRow {
  const ingestedAt = new Date(row.deliveredAt.getTime() + 10);
  const handledAt = new Date(row.deliveredAt.getTime() + 15);
  return { batchIndex: 0, batches: 1, inserted: 1, duplicates: 0, ingestedAt, ingestMs: 9.5, handledAt, ...row };
}

export function eventRow(row: Partial<EventRow> & { key: string; deliveryId: string; ingestedAt: Date }): EventRow {
  return {
    kind: "message",
    accountId: "17841400000000001",
    senderId: "6001",
    recipientId: "17841400000000001",
    occurredAt: row.ingestedAt,
    sentAt: row.ingestedAt,
    standby: false,
    test: false,
    data: JSON.stringify({ message: { mid: row.key, text: "hello" } }),
    handledAt: row.ingestedAt,
    ...row,
  };
}

/** Inserts events as brought by their deliveries; resolves with their ids, in order. */
export async function insertEvents(db: Database, rows: EventRow[]): Promise<number[]> {
  const ids: number[] = [];
  for (const row of rows) {
    const [inserted] = await db.insert(events).values(row).returning({ id: events.id });
    if (inserted === undefined) throw new Error("The insert returned no row");
    await db.insert(deliveryEvents).values({ deliveryId: row.deliveryId, eventId: inserted.id });
    ids.push(inserted.id);
  }
  return ids;
}
