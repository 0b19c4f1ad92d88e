import { and, asc, eq, inArray, isNull, sql } from "drizzle-orm";

import type { EventKind } from "#instagram/events.ts";

import type { Database } from "./database.ts";
import { deliveryChunks, events, handlerCounts } from "./schema.ts";
import { withStoreErrors } from "./store-error.ts";

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
  data: string;
  /** Attempts before this one. */
  handlerAttempts: number;
}

/** What came of one event: what to count, or the name of the error. */
export type HandlingOutcome =
  | { handled: true; counts: ReadonlyMap<string, number> }
  | { handled: false; errorName: string };

/**
 * Calls `handle` for each of these events that is not handled yet, and notes what came of it. The rows stay locked
 * meanwhile: a second delivery of the same events waits and then finds them handled, and a process that dies gives them
 * free. Returns how many were handled and how many failed. Throws `STORE_UNAVAILABLE` if Postgres cannot be used.
 */
export async function handleStoredEvents(
  db: Database,
  eventIds: readonly number[],
  nowMs: () => number,
  handle: (event: StoredEvent) => Promise<HandlingOutcome>,
): Promise<{ handled: number; failed: number }> {
  if (eventIds.length === 0) return { handled: 0, failed: 0 };
  return withStoreErrors(() =>
    db.transaction(async (tx) => {
      const unhandled = await tx
        .select({
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
          data: sql<string>`${events.data}::text`,
          handlerAttempts: events.handlerAttempts,
        })
        .from(events)
        .where(and(inArray(events.id, [...eventIds]), isNull(events.handledAt)))
        .orderBy(asc(events.id))
        // Not `update`: linking these events to another delivery meanwhile must not wait for the handlers.
        .for("no key update");

      // Locked in the order of their ids, against deadlocks; handled in the order of the batch.
      const position = new Map(eventIds.map((id, index) => [id, index]));
      unhandled.sort((a, b) => (position.get(a.id) ?? 0) - (position.get(b.id) ?? 0));

      const handledIds: number[] = [];
      const counts = new Map<string, number>();
      for (const event of unhandled) {
        const outcome = await handle(event);
        if (outcome.handled) {
          handledIds.push(event.id);
          for (const [name, by] of outcome.counts) counts.set(name, (counts.get(name) ?? 0) + by);
        } else {
          await tx
            .update(events)
            .set({ handlerAttempts: event.handlerAttempts + 1, handlerError: outcome.errorName })
            .where(eq(events.id, event.id));
        }
      }
      if (handledIds.length > 0) {
        await tx
          .update(events)
          .set({
            handledAt: new Date(nowMs()),
            handlerAttempts: sql`${events.handlerAttempts} + 1`,
            handlerError: null,
          })
          .where(inArray(events.id, handledIds));
      }
      await addCounts(tx, counts);
      return { handled: handledIds.length, failed: unhandled.length - handledIds.length };
    }),
  );
}

/** Notes that the handlers are through with a part of a delivery. */
export async function markChunkHandled(db: Database, deliveryId: string, chunk: number, nowMs: number): Promise<void> {
  await withStoreErrors(() =>
    db
      .update(deliveryChunks)
      .set({ handledAt: new Date(nowMs) })
      .where(
        and(
          eq(deliveryChunks.deliveryId, deliveryId),
          eq(deliveryChunks.chunk, chunk),
          isNull(deliveryChunks.handledAt),
        ),
      ),
  );
}

type Transaction = Parameters<Parameters<Database["transaction"]>[0]>[0];

/** In the order of their names, so that two transactions wait for one another instead of deadlocking; last, to be short. */
async function addCounts(tx: Transaction, counts: ReadonlyMap<string, number>): Promise<void> {
  if (counts.size === 0) return;
  const rows = [...counts].map(([name, count]) => ({ name, count })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  await tx
    .insert(handlerCounts)
    .values(rows)
    .onConflictDoUpdate({
      target: handlerCounts.name,
      set: { count: sql`${handlerCounts.count} + excluded.count` },
    });
}
