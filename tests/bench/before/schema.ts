import { type SQL, sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  type AnyPgColumn,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
} from "drizzle-orm/pg-core";

import type { ForwardOutcome, Runtime } from "#platform/delivery.ts";

import { instant, jsonText } from "#store/schema/columns.ts";

/** One row per thing that happened on Instagram; `key` is what makes it the same event, however long ago it came. */
export const events = pgTable(
  "events",
  {
    id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    key: text("key").notNull().unique(),
    kind: text("kind").notNull(),
    accountId: text("account_id").notNull(),
    senderId: text("sender_id"),
    recipientId: text("recipient_id"),
    occurredAt: instant("occurred_at"),
    sentAt: instant("sent_at"),
    standby: boolean("standby").notNull(),
    test: boolean("test").notNull(),
    /** Whether `data` is not of the type that handlers of its kind are promised. */
    drifted: boolean("drifted").notNull().default(false),
    /** The truth: the item as Meta sent it. The other columns are derived from it for search. */
    data: jsonText("data").notNull(),
    /** The delivery that brought it first. */
    deliveryId: text("delivery_id").notNull(),
    /** When the consumer was called. The default is for releases that do not know this column. */
    deliveredAt: instant("delivered_at").notNull().defaultNow(),
    /** When the row was inserted; null in rows older than this column. Read it as `eventIngestedAt`. */
    ingestedAt: instant("ingested_at"),
    /** When the user's handler succeeded; null until then. */
    handledAt: instant("handled_at"),
    /** When its lease ends; null while nothing runs its handler. */
    leasedUntil: instant("leased_until"),
    handlerAttempts: integer("handler_attempts").notNull().default(0),
    /** The name of the error of the last failed attempt, never its message. */
    handlerError: text("handler_error"),
    /** When `data` was replaced because a person asked for erasure; null otherwise. No handler runs after it. */
    erasedAt: instant("erased_at"),
  },
  (table) => [
    index("events_kind_id").on(table.kind, table.id),
    index("events_account_id").on(table.accountId, table.id),
    index("events_ingested_at").on(eventIngestedAt(table)),
  ],
);

/**
 * When an event was ingested, the one expression that the index has. Rows older than `ingested_at` tell only when the
 * consumer was called, milliseconds earlier.
 */
export function eventIngestedAt({ ingestedAt, deliveredAt }: Record<"ingestedAt" | "deliveredAt", AnyPgColumn>): SQL {
  return sql`coalesce(${ingestedAt}, ${deliveredAt})`;
}

/** One row per webhook delivery; the consumer and the forward's report each add what they know, in any order. */
export const deliveries = pgTable(
  "deliveries",
  {
    id: text("id").primaryKey(),
    runtime: text("runtime").$type<Runtime>().notNull(),
    region: text("region"),
    coldStart: boolean("cold_start").notNull(),
    probe: boolean("probe").notNull(),
    receivedAt: instant("received_at").notNull(),
    bodyBytes: integer("body_bytes").notNull(),
    /** From the report: how many events the forward carried. */
    events: integer("events"),
    /** As reported, or `fallback` where only the fallback knows; what became of it in the end: `deliveryOutcomes`. */
    outcome: text("outcome").$type<ForwardOutcome>(),
    ackMs: doublePrecision("ack_ms"),
    publishMs: doublePrecision("publish_ms"),
    publishedAt: instant("published_at"),
    attempts: integer("attempts"),
    timeouts: integer("timeouts"),
    errorType: text("error_type"),
    reportedAt: instant("reported_at"),
  },
  (table) => [index("deliveries_received_at").on(table.receivedAt, table.runtime)],
);

/**
 * One row per ingested batch. A redelivery finds its row and changes nothing, so the counts are those of the first time.
 * The view `delivery_chunks` shows this table under its former names to releases that know no others.
 */
export const deliveryBatches = pgTable(
  "delivery_batches",
  {
    deliveryId: text("delivery_id").notNull(),
    /** From 0. */
    batchIndex: smallint("batch_index").notNull(),
    /** How many batches the delivery has. */
    batches: smallint("batches").notNull(),
    inserted: integer("inserted").notNull(),
    duplicates: integer("duplicates").notNull(),
    /** When the consumer was called. */
    deliveredAt: instant("delivered_at").notNull(),
    /** Just before the commit. */
    ingestedAt: instant("ingested_at").notNull(),
    /** From the consumer's entry to just before its commit, on a monotonic clock. */
    ingestMs: doublePrecision("ingest_ms").notNull(),
    /** When the handlers of all its events had finished. */
    handledAt: instant("handled_at"),
  },
  (table) => [primaryKey({ columns: [table.deliveryId, table.batchIndex] })],
);

/** Which events a delivery carried, also those that an earlier delivery had brought. */
export const deliveryEvents = pgTable(
  "delivery_events",
  {
    deliveryId: text("delivery_id").notNull(),
    eventId: bigint("event_id", { mode: "number" })
      .notNull()
      .references(() => events.id, { onDelete: "cascade" }),
  },
  (table) => [
    primaryKey({ columns: [table.deliveryId, table.eventId] }),
    index("delivery_events_event").on(table.eventId),
  ],
);

/** One row per way in which Meta's data differs from our schemas: names and JSON types, never a value. */
export const drift = pgTable(
  "drift",
  {
    kind: text("kind").notNull(),
    path: text("path").notNull(),
    finding: text("finding").notNull(),
    /** The JSON type found there. */
    shape: text("shape").notNull(),
    /** How many events had it. */
    count: bigint("count", { mode: "number" }).notNull(),
    firstSeen: instant("first_seen").notNull(),
    lastSeen: instant("last_seen").notNull(),
    /** The last event that had it, which may have been erased since. */
    eventId: bigint("event_id", { mode: "number" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.path, table.finding, table.shape] })],
);

/** What handlers counted, by name. */
export const handlerCounts = pgTable("handler_counts", {
  name: text("name").primaryKey(),
  count: bigint("count", { mode: "number" }).notNull(),
});
