import { and, asc, eq, inArray, isNull, lte, or, sql } from "drizzle-orm";

import type { EventKind } from "#instagram/events.ts";

import type { Database, Transaction } from "./database.ts";
import { deliveryChunks, events, handlerCounts } from "./schema.ts";
import { withStoreErrors } from "./store-error.ts";
import { inTransaction } from "./transaction.ts";

/** An event as it lies in the database, its data still text. */
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
  /** Whether a lease on it ran out: its process died, perhaps of this event's handler or of a neighbour's. */
  abandoned: boolean;
}

/** What has become of claimed events since they were claimed or settled last. */
export interface Settlement {
  handledIds: readonly number[];
  failed: readonly { id: number; errorName: string }[];
  /** What the handlers counted, by name. */
  counts: ReadonlyMap<string, number>;
  /** Those whose turn is still to come keep their lease until then; null gives them free. */
  remainingIds: readonly number[];
  leaseUntilMs: number | null;
  nowMs: number;
  /** The one whose handler begins now; its attempt is counted already, in case it takes the process along. */
  begunId: number | null;
  /** Whether the attempts of those that are handled or failed were counted when they began. */
  attemptsCounted: boolean;
}

const isOpen = and(isNull(events.handledAt), isNull(events.erasedAt));

/**
 * Takes a lease on those of these events that are neither handled nor erased nor leased to somebody else. No connection
 * is held while their handlers run; a process that dies lets its leases run out. Throws `STORE_UNAVAILABLE`.
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

/** Notes what became of claimed events, in one transaction, and renews or ends the lease of the rest. */
export async function settleEvents(db: Database, settlement: Settlement): Promise<void> {
  const { handledIds, failed, counts, remainingIds, nowMs, begunId } = settlement;
  const leasedUntil = settlement.leaseUntilMs === null ? null : new Date(settlement.leaseUntilMs);
  const ids = [...handledIds, ...failed.map(({ id }) => id), ...remainingIds];
  if (ids.length === 0) return;
  const oneMore = { handlerAttempts: sql`${events.handlerAttempts} + 1` };
  const attempted = { ...(settlement.attemptsCounted ? {} : oneMore), leasedUntil: null };
  await withStoreErrors(() =>
    inTransaction(db, async (tx) => {
      // In one order with whoever else locks several, against deadlocks.
      await tx
        .select({ id: events.id })
        .from(events)
        .where(inArray(events.id, ids))
        .orderBy(asc(events.id))
        .for("no key update");
      if (handledIds.length > 0) {
        const handled = { ...attempted, handledAt: new Date(nowMs), handlerError: null };
        await tx
          .update(events)
          .set(handled)
          .where(inArray(events.id, [...handledIds]));
      }
      for (const { id, errorName } of failed) {
        await tx
          .update(events)
          .set({ ...attempted, handlerError: errorName })
          .where(eq(events.id, id));
      }
      if (remainingIds.length > 0) {
        await tx
          .update(events)
          .set({ leasedUntil })
          .where(inArray(events.id, [...remainingIds]));
      }
      if (begunId !== null) await tx.update(events).set(oneMore).where(eq(events.id, begunId));
      await addCounts(tx, counts);
    }),
  );
}

/** How many of these events wait for their handler, whoever is at it. */
export async function countOpenEvents(db: Database, eventIds: readonly number[]): Promise<number> {
  if (eventIds.length === 0) return 0;
  return withStoreErrors(() => db.$count(events, and(inArray(events.id, [...eventIds]), isOpen)));
}

/** Notes that the handlers are through with a part of a delivery. */
export async function markChunkHandled(db: Database, deliveryId: string, chunk: number, nowMs: number): Promise<void> {
  const isThisChunk = and(eq(deliveryChunks.deliveryId, deliveryId), eq(deliveryChunks.chunk, chunk));
  await withStoreErrors(() =>
    db
      .update(deliveryChunks)
      .set({ handledAt: new Date(nowMs) })
      .where(and(isThisChunk, isNull(deliveryChunks.handledAt))),
  );
}

/** Beyond it a number of JavaScript is not exact, and soon after it the column is full: a counter stays there. */
const countMax = sql.raw(String(Number.MAX_SAFE_INTEGER));

/** In the order of their names, so that two transactions wait for one another instead of deadlocking; last, to be short. */
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
