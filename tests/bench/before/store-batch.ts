import { eq, inArray, sql } from "drizzle-orm";

import type { Clock } from "#platform/clock.ts";

import type { Database, Transaction } from "./database.ts";
import { deliveryRow, type StoredFacts } from "./delivery-row.ts";
import { type EventToStore, insertApart, insertTogether } from "./insert-events.ts";
import { deliveries, deliveryBatches, deliveryEvents, events } from "./schema.ts";
import { storeDrift } from "./store-drift.ts";
import { isDataRefused, withStoreErrors } from "#store/connection/store-error.ts";
import { inTransaction } from "./transaction.ts";

export interface BatchToStore {
  delivery: StoredFacts;
  /** How the batch came here. The outcome in a forward's own report takes precedence. */
  via: "queue" | "fallback";
  /** Which batch of the delivery it is, from 0, and how many there are. */
  batch: readonly [index: number, count: number];
  events: readonly EventToStore[];
  /** When the consumer was called: by the wall clock, and by the monotonic one. */
  delivered: { atMs: number; monotonicMs: number };
}

export interface StoredBatch {
  inserted: number;
  duplicates: number;
  /** How many of the inserted events are marked as drifted. */
  drifted: number;
  /** How many of the inserted events were stored without their search columns or with their data as text. */
  reduced: number;
  /** Of all events of the batch, in its order; also of those that were stored before. */
  eventIds: number[];
}

/**
 * Stores a batch in one transaction: each event whose key is new, the delivery that carried it, the batch's counts and
 * times, and how the new events differ from what we know. A repeated call changes nothing. Rows are inserted in the order
 * of their keys, so that two batches with common events wait for each other instead of deadlocking. An event that
 * Postgres refuses for its content affects no other event. Throws `STORE_UNAVAILABLE` if Postgres cannot be used.
 */
export async function storeBatch(db: Database, batch: BatchToStore, clock: Clock): Promise<StoredBatch> {
  try {
    return await storeBatchWith(insertTogether, db, batch, clock);
  } catch (thrown) {
    if (!isDataRefused(thrown)) throw thrown;
    return storeBatchWith(insertApart, db, batch, clock);
  }
}

async function storeBatchWith(
  insert: typeof insertTogether,
  db: Database,
  batch: BatchToStore,
  clock: Clock,
): Promise<StoredBatch> {
  return withStoreErrors(() =>
    inTransaction(db, async (tx) => {
      const { delivery, delivered } = batch;
      const deliveredAt = new Date(delivered.atMs);
      await tx
        .insert(deliveries)
        .values({ ...deliveryRow(delivery), outcome: batch.via === "fallback" ? "fallback" : null })
        .onConflictDoNothing();

      const unique = uniqueEvents(batch.events);
      const origin = { deliveryId: delivery.id, deliveredAt, ingestedAt: new Date(clock.nowMs()) };
      const stored = unique.length === 0 ? [] : await insert(tx, unique, origin);
      const inserted = stored.length;
      const eventIds = await linkEvents(tx, batch);
      const duplicates = batch.events.length - inserted;

      await tx
        .insert(deliveryBatches)
        .values({
          deliveryId: delivery.id,
          batchIndex: batch.batch[0],
          batches: batch.batch[1],
          inserted,
          duplicates,
          deliveredAt,
          ingestedAt: new Date(clock.nowMs()),
          ingestMs: clock.monotonicMs() - delivered.monotonicMs,
        })
        .onConflictDoNothing();
      await storeDrift(tx, stored, deliveredAt);
      const drifted = stored.filter((event) => event.drifted).length;
      const reduced = stored.filter((event) => event.reduced).length;
      return { inserted, duplicates, drifted, reduced, eventIds };
    }),
  );
}

/**
 * The first event of each key, sorted by key: transactions that insert the same events at the same time lock the rows in
 * the same order, so they wait for each other and cannot deadlock.
 */
function uniqueEvents(carried: readonly EventToStore[]): EventToStore[] {
  const byKey = new Map(carried.toReversed().map((event) => [event.key, event]));
  return [...byKey.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * Links of an event: to the delivery that brought it and to the first repeats, which Meta sends when it did not get our
 * answer. A captured delivery can be sent again for ever, and each repeat would add a row for each of its events; from
 * later repeats only the delivery's own row and its counts are kept.
 */
const linksMax = 5;

/** Links the delivery to its events; returns their ids in the order of the batch. */
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
