import { sql } from "drizzle-orm";

import type { Drift, Finding } from "#instagram/data/find-drift.ts";
import type { InstagramEvent } from "#instagram/events.ts";

import type { Transaction } from "./database.ts";
import { jsonText } from "#store/connection/json-text.ts";
import { events } from "./schema.ts";
import { storableInstant, storableText } from "#store/connection/storable.ts";
import { isDataRefused } from "#store/connection/store-error.ts";

/** An event with the result of comparing its data with its kind's schema. */
export type EventToStore = InstagramEvent & Drift;

export type InsertedEvent = EventToStore & {
  eventId: number;
  /** Whether Postgres refused the row as it was: search columns are empty, or `data` is a string that holds the JSON. */
  reduced: boolean;
};

/** Columns that are the same for all events of a batch. */
export interface EventOrigin {
  deliveryId: string;
  deliveredAt: Date;
  ingestedAt: Date;
}

/** Inserts the events whose keys are new, in one statement and in the order given; returns them. */
export async function insertTogether(
  tx: Transaction,
  batch: readonly EventToStore[],
  origin: EventOrigin,
): Promise<InsertedEvent[]> {
  return insertRows(
    tx,
    batch.map((event) => ({ event, row: toRow(event, origin) })),
  );
}

/**
 * The same for a batch that Postgres refuses: inserts it by halves, down to the single event that is refused. That event
 * loses its search columns or has its data as text, and the others lose nothing.
 */
export async function insertApart(
  tx: Transaction,
  batch: readonly EventToStore[],
  origin: EventOrigin,
): Promise<InsertedEvent[]> {
  const inserted = await unlessRefused(tx, () => insertTogether(tx, batch, origin));
  if (inserted !== null) return inserted;
  const [event] = batch;
  if (batch.length === 1 && event !== undefined) return insertReduced(tx, event, origin);
  const half = Math.ceil(batch.length / 2);
  const first = await insertApart(tx, batch.slice(0, half), origin);
  return [...first, ...(await insertApart(tx, batch.slice(half), origin))];
}

type Row = typeof events.$inferInsert;

const noSearchColumns = { accountId: "", senderId: null, recipientId: null, occurredAt: null, sentAt: null };

async function insertReduced(tx: Transaction, event: EventToStore, origin: EventOrigin): Promise<InsertedEvent[]> {
  const row = toRow(event, origin);
  const textRow = { ...row, data: JSON.stringify(row.data), drifted: true };
  const mismatch: Finding = { finding: "mismatch", path: "$", shape: "string" };
  const textEvent = { ...event, drifted: true, findings: [mismatch] };
  const reductions = [
    { event, row: { ...row, ...noSearchColumns } },
    { event: textEvent, row: textRow },
  ];
  for (const reduction of reductions) {
    const inserted = await unlessRefused(tx, () => insertRows(tx, [reduction], true));
    if (inserted !== null) return inserted;
  }
  return insertRows(tx, [{ event: textEvent, row: { ...textRow, ...noSearchColumns } }], true);
}

async function insertRows(
  tx: Transaction,
  rows: readonly { event: EventToStore; row: Row }[],
  reduced = false,
): Promise<InsertedEvent[]> {
  const inserted = await tx
    .insert(events)
    .values(rows.map(({ row }) => row))
    .onConflictDoNothing({ target: events.key })
    .returning({ id: events.id, key: events.key });
  const byKey = new Map(rows.map(({ event }) => [event.key, event]));
  return inserted.flatMap(({ id, key }) => {
    const event = byKey.get(key);
    return event === undefined ? [] : [{ ...event, eventId: id, reduced }];
  });
}

function toRow(event: EventToStore, origin: EventOrigin): Row & { data: string } {
  return {
    key: event.key,
    kind: event.kind,
    accountId: storableText(event.accountId),
    senderId: event.senderId === undefined ? null : storableText(event.senderId),
    recipientId: event.recipientId === undefined ? null : storableText(event.recipientId),
    occurredAt: storableInstant(event.occurredAtMs),
    sentAt: storableInstant(event.sentAtMs),
    standby: event.standby,
    test: event.test,
    drifted: event.drifted,
    data: jsonText(event.data),
    ...origin,
  };
}

/** Runs `work` in a savepoint. If Postgres refuses the data, rolls back to the savepoint and resolves with null. */
async function unlessRefused<T>(tx: Transaction, work: () => Promise<T>): Promise<T | null> {
  await tx.execute(sql`savepoint refusable`);
  try {
    const result = await work();
    await tx.execute(sql`release savepoint refusable`);
    return result;
  } catch (thrown) {
    if (!isDataRefused(thrown)) throw thrown;
    await tx.execute(sql`rollback to savepoint refusable`);
    return null;
  }
}
