import { inArray } from "drizzle-orm";

import type { InstagramEvent } from "#instagram/events.ts";
import type { DeliveryFacts } from "#instagram/received-delivery.ts";

import type { Database, Transaction } from "./database.ts";
import { deliveries, deliveryChunks, deliveryEvents, events } from "./schema.ts";
import { type DriftFinding, storeDrift } from "./store-drift.ts";
import { withStoreErrors } from "./store-error.ts";
import { inTransaction } from "./transaction.ts";

/** An event with what comparing its data with its kind's schema came to. */
export interface EventToStore extends InstagramEvent {
  drifted: boolean;
  findings: readonly DriftFinding[];
}

export interface BatchToStore {
  delivery: DeliveryFacts;
  /** How it came; what the forward reports of itself counts more. */
  via?: "queue" | "fallback";
  chunk: readonly [index: number, count: number];
  events: readonly EventToStore[];
  /** When the consumer was called. */
  deliveredAtMs: number;
  /** Asked for once the events are in, just before the commit. */
  ingested: () => { atMs: number; afterMs: number };
}

export interface StoredBatch {
  inserted: number;
  duplicates: number;
  /** How many of the inserted are marked as drifted. */
  drifted: number;
  /** Of all events of the batch in its order, those stored earlier too. */
  eventIds: number[];
}

/**
 * Stores a batch in one transaction: each event whose key is new, the delivery that carried it, what became of this part
 * of it, and how the new events differ from what we know. Doing it again changes nothing. Rows go in in the order of their keys, so that two batches with common
 * events wait for one another instead of deadlocking. Throws `STORE_UNAVAILABLE` if Postgres cannot be used.
 */
export async function storeBatch(db: Database, batch: BatchToStore): Promise<StoredBatch> {
  return withStoreErrors(() =>
    inTransaction(db, async (tx) => {
      const { delivery } = batch;
      const outcome = batch.via === "fallback" ? batch.via : null;
      await tx
        .insert(deliveries)
        .values({ ...deliveryRow(delivery), outcome })
        .onConflictDoNothing();

      const stored = await insertEvents(tx, batch);
      const inserted = stored.length;
      const eventIds = await linkEvents(tx, batch);
      const duplicates = batch.events.length - inserted;

      const { atMs, afterMs } = batch.ingested();
      await tx
        .insert(deliveryChunks)
        .values({
          deliveryId: delivery.id,
          chunk: batch.chunk[0],
          chunks: batch.chunk[1],
          inserted,
          duplicates,
          deliveredAt: new Date(batch.deliveredAtMs),
          ingestedAt: new Date(atMs),
          ingestMs: afterMs,
        })
        .onConflictDoNothing();
      await storeDrift(tx, stored, new Date(batch.deliveredAtMs));
      return { inserted, duplicates, drifted: stored.filter(({ drifted }) => drifted).length, eventIds };
    }),
  );
}

export function deliveryRow(facts: Omit<DeliveryFacts, "secretIndex">): typeof deliveries.$inferInsert {
  return {
    id: facts.id,
    runtime: facts.runtime,
    region: facts.region,
    coldStart: facts.coldStart,
    probe: facts.probe,
    receivedAt: new Date(facts.receivedAtMs),
    bodyBytes: facts.bodyBytes,
  };
}

/** Returns the events that were new. Of several with one key the first is the event. */
async function insertEvents(tx: Transaction, batch: BatchToStore): Promise<(EventToStore & { eventId: number })[]> {
  if (batch.events.length === 0) return [];
  const ingestedAt = new Date(batch.deliveredAtMs);
  const byKey = new Map(batch.events.toReversed().map((event) => [event.key, event]));
  const rows = [...byKey.values()].map((event) => ({
    key: event.key,
    kind: event.kind,
    accountId: storable(event.accountId),
    senderId: event.senderId === undefined ? null : storable(event.senderId),
    recipientId: event.recipientId === undefined ? null : storable(event.recipientId),
    occurredAt: event.occurredAtMs === null ? null : new Date(event.occurredAtMs),
    sentAt: event.sentAtMs === null ? null : new Date(event.sentAtMs),
    standby: event.standby,
    test: event.test,
    drifted: event.drifted,
    data: JSON.stringify(event.data),
    deliveryId: batch.delivery.id,
    ingestedAt,
  }));
  rows.sort((a, b) => (a.key < b.key ? -1 : 1));
  const inserted = await tx
    .insert(events)
    .values(rows)
    .onConflictDoNothing({ target: events.key })
    .returning({ id: events.id, key: events.key });
  return inserted.flatMap(({ id, key }) => {
    const event = byKey.get(key);
    return event === undefined ? [] : [{ ...event, eventId: id }];
  });
}

async function linkEvents(tx: Transaction, batch: BatchToStore): Promise<number[]> {
  if (batch.events.length === 0) return [];
  const keys = batch.events.map(({ key }) => key);
  const rows = await tx.select({ id: events.id, key: events.key }).from(events).where(inArray(events.key, keys));
  const idByKey = new Map(rows.map(({ id, key }) => [key, id]));
  const eventIds = [...new Set(keys)].flatMap((key) => idByKey.get(key) ?? []);
  const links = eventIds.map((eventId) => ({ deliveryId: batch.delivery.id, eventId }));
  await tx.insert(deliveryEvents).values(links).onConflictDoNothing();
  return eventIds;
}

const columnLengthMax = 200;

/** Text that a search column can hold: Postgres takes no NUL and an index no long rows. The truth is in `data`. */
function storable(text: string): string {
  return text.replaceAll("\0", "\uFFFD").slice(0, columnLengthMax);
}
