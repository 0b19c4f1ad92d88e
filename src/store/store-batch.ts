import { eq, inArray, sql } from "drizzle-orm";

import type { DeliveryFacts } from "#platform/delivery.ts";

import type { Database, Transaction } from "./database.ts";
import { type EventToStore, insertApart, insertTogether } from "./insert-events.ts";
import { deliveries, deliveryChunks, deliveryEvents, events } from "./schema.ts";
import { storableInstant, storableInteger, storableText } from "./storable.ts";
import { storeDrift } from "./store-drift.ts";
import { isDataRefused, withStoreErrors } from "./store-error.ts";
import { inTransaction } from "./transaction.ts";

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
  /** How many of the inserted had to be stored without their search columns or with their data as text. */
  reduced: number;
  /** Of all events of the batch in its order, those stored earlier too. */
  eventIds: number[];
}

/**
 * Stores a batch in one transaction: each event whose key is new, the delivery that carried it, what became of this part
 * of it, and how the new events differ from what we know. Doing it again changes nothing. Rows go in in the order of their keys, so that two batches with common
 * events wait for one another instead of deadlocking. An event that Postgres refuses for its content costs no other
 * event anything. Throws `STORE_UNAVAILABLE` if Postgres cannot be used.
 */
export async function storeBatch(db: Database, batch: BatchToStore): Promise<StoredBatch> {
  try {
    return await storeBatchWith(insertTogether, db, batch);
  } catch (thrown) {
    if (!isDataRefused(thrown)) throw thrown;
    return storeBatchWith(insertApart, db, batch);
  }
}

async function storeBatchWith(insert: typeof insertTogether, db: Database, batch: BatchToStore): Promise<StoredBatch> {
  return withStoreErrors(() =>
    inTransaction(db, async (tx) => {
      const { delivery } = batch;
      const outcome = batch.via === "fallback" ? batch.via : null;
      await tx
        .insert(deliveries)
        .values({ ...deliveryRow(delivery), outcome })
        .onConflictDoNothing();

      const origin = { deliveryId: delivery.id, ingestedAt: new Date(batch.deliveredAtMs) };
      const unique = uniqueEvents(batch.events);
      const stored = unique.length === 0 ? [] : await insert(tx, unique, origin);
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
      const drifted = stored.filter((event) => event.drifted).length;
      const reduced = stored.filter((event) => event.reduced).length;
      return { inserted, duplicates, drifted, reduced, eventIds };
    }),
  );
}

export function deliveryRow(facts: Omit<DeliveryFacts, "secretIndex">): typeof deliveries.$inferInsert {
  return {
    id: facts.id,
    runtime: facts.runtime,
    region: facts.region === null ? null : storableText(facts.region),
    coldStart: facts.coldStart,
    probe: facts.probe,
    receivedAt: storableInstant(facts.receivedAtMs) ?? new Date(0),
    bodyBytes: storableInteger(facts.bodyBytes),
  };
}

/** Of several events with one key the first is the event. In the order of the keys, against deadlocks. */
function uniqueEvents(carried: readonly EventToStore[]): EventToStore[] {
  const byKey = new Map(carried.toReversed().map((event) => [event.key, event]));
  return [...byKey.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * Deliveries that an event is linked to: the one that brought it and the first that repeated it, as Meta does after an
 * answer that it did not get. Who captures a delivery can send it again for ever, and each repeat would add a row for
 * each of its events; of those to come only the delivery's own row and its counts are kept.
 */
const linksMax = 5;

async function linkEvents(tx: Transaction, batch: BatchToStore): Promise<number[]> {
  if (batch.events.length === 0) return [];
  const keys = batch.events.map(({ key }) => key);
  const linked = tx.$count(deliveryEvents, eq(deliveryEvents.eventId, events.id));
  const rows = await tx
    .select({ id: events.id, key: events.key, links: sql<number>`${linked}`.mapWith(Number) })
    .from(events)
    .where(inArray(events.key, keys));
  const links = rows.filter((row) => row.links < linksMax);
  if (links.length > 0) {
    await tx
      .insert(deliveryEvents)
      .values(links.map(({ id }) => ({ deliveryId: batch.delivery.id, eventId: id })))
      .onConflictDoNothing();
  }
  const idByKey = new Map(rows.map(({ id, key }) => [key, id]));
  return [...new Set(keys)].flatMap((key) => idByKey.get(key) ?? []);
}
