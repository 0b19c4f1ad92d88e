import { bigint, boolean, primaryKey, smallint, text, uuid } from "drizzle-orm/pg-core";

import { bytes, instant, relay } from "./columns.ts";

/** Messages that wait in Postgres. */
export const queueMessages = relay.table("queue_messages", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  /** What the message is for: the last part of the path of the route that takes it elsewhere. */
  route: text("route").notNull(),
  body: bytes("body").notNull(),
  dueAt: instant("due_at", 6).notNull(),
  /** Null while no drain has it. */
  leasedUntil: instant("leased_until"),
  leaseId: uuid("lease_id"),
  /** How often it was taken. */
  takings: smallint("takings").notNull(),
  deduplicationId: text("deduplication_id"),
  label: text("label").notNull(),
  createdAt: instant("created_at").notNull(),
  /** Of the delivery that the batch belongs to; null without a trace, and for the relay's own messages. */
  traceparent: text("traceparent"),
});

/** Who drains: from 1 on the drains that may run at once; 0 is the one that waits for messages to become due. */
export const queueDrains = relay.table("queue_drains", {
  slot: smallint("slot").primaryKey(),
  leaseId: uuid("lease_id"),
  leasedUntil: instant("leased_until"),
  /** Messages came while it ran. */
  wanted: boolean("wanted").notNull(),
});

/** Of messages elsewhere: how often each was tried, where its queue counts takings that met an outage, too. */
export const queueTakings = relay.table(
  "queue_takings",
  {
    queue: text("queue").notNull(),
    messageId: text("message_id").notNull(),
    takings: smallint("takings").notNull(),
    lastAt: instant("last_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.queue, table.messageId] })],
);

/** One row while batches are held back. */
export const queuePause = relay.table("queue_pause", {
  isPaused: boolean("is_paused").primaryKey(),
  since: instant("since").notNull(),
});
