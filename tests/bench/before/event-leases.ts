import { and, asc, eq, inArray, isNull, lte, or, sql } from "drizzle-orm";

import type { EventKind } from "#instagram/events.ts";

import type { Database, Transaction } from "./database.ts";
import { deliveryBatches, events, handlerCounts } from "./schema.ts";
import { withStoreErrors } from "#store/connection/store-error.ts";
import { inTransaction } from "./transaction.ts";

/** An event as it is stored, its data still text. */
export interface StoredEvent {
  id: number;
  key: string;
  kind: EventKind;
  accountId: string;
  senderId: string | null;
  recipientId: string | null;
  occurredAt: Date | null;
  sentAt: Date | null;
  standby: boolean;
  test: boolean;
  drifted: boolean;
  data: string;
  /** Attempts before this one. */
  handlerAttempts: number;
  /** Whether an earlier lease ran out: its process died, or could not store its results. */
  abandoned: boolean;
}

/** The results of claimed events since they were claimed or last settled. */
export interface Settlement {
  /** The end of the lease under which the handlers ran, in ms since the epoch. An event with another one was lost. */
  leasedUntilMs: number;
  handledIds: readonly number[];
  failed: readonly { id: number; errorName: string }[];
  /** What the handlers counted, by name. */
  counts: ReadonlyMap<string, number>;
  /** Claimed events whose handlers have not run yet. */
  remainingIds: readonly number[];
  /** The new end of their lease; null ends it now. */
  leaseUntilMs: number | null;
  nowMs: number;
  /** The event whose handler starts now. Its attempt is counted first, because the handler may end the process. */
  begunId: number | null;
  /** Whether the attempts of the handled and failed events were counted when they started. */
  attemptsCounted: boolean;
}

const isOpen = and(isNull(events.handledAt), isNull(events.erasedAt));

/**
 * Takes a lease on each of these events that is neither handled nor erased nor leased already; returns the leased events.
 * No connection is held while their handlers run; the leases of a process that dies run out. Throws `STORE_UNAVAILABLE`.
 */
export async function claimEvents(
  db: Database,
  eventIds: readonly number[],
  { nowMs, leaseUntilMs }: { nowMs: number; leaseUntilMs: number },
): Promise<StoredEvent[]> {
  if (eventIds.length === 0) return [];
  const isFree = or(isNull(events.leasedUntil), lte(events.leasedUntil, new Date(nowMs)));
  const free = db.$with("free").as(
    db
      .select({ id: events.id, leasedUntil: events.leasedUntil })
      .from(events)
      .where(and(inArray(events.id, [...eventIds]), isOpen, isFree))
      .orderBy(asc(events.id))
      .for("no key update", { skipLocked: true }),
  );
  return withStoreErrors(() =>
    db
      .with(free)
      .update(events)
      .set({ leasedUntil: new Date(leaseUntilMs) })
      .from(free)
      .where(eq(events.id, free.id))
      .returning({
        id: events.id,
        key: events.key,
        kind: sql<EventKind>`${events.kind}`,
        accountId: events.accountId,
        senderId: events.senderId,
        recipientId: events.recipientId,
        occurredAt: events.occurredAt,
        sentAt: events.sentAt,
        standby: events.standby,
        test: events.test,
        drifted: events.drifted,
        data: sql<string>`${events.data}::text`,
        handlerAttempts: events.handlerAttempts,
        abandoned: sql<boolean>`${free.leasedUntil} is not null`,
      }),
  );
}

/**
 * Stores the results of claimed events in one transaction and renews or ends the lease of the remaining ones. A process that
 * stood still may have lost events to another one, which runs their handlers now: of those only a success is stored.
 * Returns which of the remaining ones are still held. Throws `STORE_UNAVAILABLE`; then nothing of the settlement is stored.
 */
export async function settleEvents(db: Database, settlement: Settlement): Promise<ReadonlySet<number>> {
  const { handledIds, counts, nowMs } = settlement;
  const leasedUntil = settlement.leaseUntilMs === null ? null : new Date(settlement.leaseUntilMs);
  const ids = [...handledIds, ...settlement.failed.map(({ id }) => id), ...settlement.remainingIds];
  if (ids.length === 0) return new Set();
  const oneMore = { handlerAttempts: sql`${events.handlerAttempts} + 1` };
  const attempted = { ...(settlement.attemptsCounted ? {} : oneMore), leasedUntil: null };
  return withStoreErrors(() =>
    inTransaction(db, async (tx) => {
      // In the order of their ids, as every transaction that locks several events, against deadlocks.
      const locked = await tx
        .select({ id: events.id, leasedUntil: events.leasedUntil })
        .from(events)
        .where(inArray(events.id, ids))
        .orderBy(asc(events.id))
        .for("no key update");
      const isHeld = (row: (typeof locked)[number]) => row.leasedUntil?.getTime() === settlement.leasedUntilMs;
      const held = new Set(locked.filter(isHeld).map(({ id }) => id));
      const failed = settlement.failed.filter(({ id }) => held.has(id));
      const remainingIds = settlement.remainingIds.filter((id) => held.has(id));
      if (handledIds.length > 0) {
        const handled = { ...attempted, handledAt: new Date(nowMs), handlerError: null };
        await tx
          .update(events)
          .set(handled)
          .where(inArray(events.id, [...handledIds]));
      }
      if (failed.length > 0) {
        const failedIds = sql.param(failed.map(({ id }) => id));
        const errorNames = sql.param(failed.map(({ errorName }) => errorName));
        await tx
          .update(events)
          .set({ ...attempted, handlerError: sql`failed.error_name` })
          .from(sql`unnest(${failedIds}::bigint[], ${errorNames}::text[]) as failed (id, error_name)`)
          .where(eq(events.id, sql`failed.id`));
      }
      if (remainingIds.length > 0) {
        await tx
          .update(events)
          .set({ leasedUntil })
          .where(inArray(events.id, [...remainingIds]));
      }
      const begunId = remainingIds.find((id) => id === settlement.begunId);
      if (begunId !== undefined) await tx.update(events).set(oneMore).where(eq(events.id, begunId));
      await addCounts(tx, counts);
      return new Set(remainingIds);
    }),
  );
}

/** How many of these events are neither handled nor erased, leased or not. Throws `STORE_UNAVAILABLE`. */
export async function countOpenEvents(db: Database, eventIds: readonly number[]): Promise<number> {
  if (eventIds.length === 0) return 0;
  return withStoreErrors(() => db.$count(events, and(inArray(events.id, [...eventIds]), isOpen)));
}

/** Notes that every event of a batch is handled; a repeated call changes nothing. Throws `STORE_UNAVAILABLE`. */
export async function markBatchHandled(db: Database, deliveryId: string, index: number, nowMs: number): Promise<void> {
  const isThisBatch = and(eq(deliveryBatches.deliveryId, deliveryId), eq(deliveryBatches.batchIndex, index));
  await withStoreErrors(() =>
    db
      .update(deliveryBatches)
      .set({ handledAt: new Date(nowMs) })
      .where(and(isThisBatch, isNull(deliveryBatches.handledAt))),
  );
}

/** Counters stop here: larger numbers are not exact in JavaScript, and the column's own limit is not far. */
const countMax = sql.raw(String(Number.MAX_SAFE_INTEGER));

/**
 * In the order of their names, so that two transactions wait for each other instead of deadlocking; called last, so that
 * the rows are locked only for a moment.
 */
async function addCounts(tx: Transaction, counts: ReadonlyMap<string, number>): Promise<void> {
  if (counts.size === 0) return;
  const rows = [...counts].map(([name, count]) => ({ name, count })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  await tx
    .insert(handlerCounts)
    .values(rows)
    .onConflictDoUpdate({
      target: handlerCounts.name,
      set: { count: sql`least(greatest(${handlerCounts.count}::numeric + excluded.count, -${countMax}), ${countMax})` },
    });
}
