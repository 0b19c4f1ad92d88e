import { bigint, boolean, integer, primaryKey, real, smallint, text, uuid } from "drizzle-orm/pg-core";

import { instant, jsonText, relay } from "./columns.ts";

/** What makes an event the same event, for ever: the first 16 bytes of the SHA-256 of its key. */
export const eventKeys = relay.table("event_keys", {
  hash: uuid("hash").primaryKey(),
  eventId: bigint("event_id", { mode: "number" }).notNull(),
});

/** Appended only; an erasure is the one update. Partitions of one million ids, which maintenance makes ahead and drops. */
export const events = relay.table("events", {
  id: bigint("id", { mode: "number" }).primaryKey(),
  ingestedAt: instant("ingested_at").notNull(),
  occurredAt: instant("occurred_at"),
  sentAt: instant("sent_at"),
  erasedAt: instant("erased_at"),
  deliveryId: uuid("delivery_id").notNull(),
  batchIndex: smallint("batch_index").notNull(),
  standby: boolean("standby").notNull(),
  test: boolean("test").notNull(),
  drifted: boolean("drifted").notNull(),
  kind: text("kind").notNull(),
  accountId: text("account_id").notNull(),
  senderId: text("sender_id"),
  recipientId: text("recipient_id"),
  key: text("key").notNull(),
  data: jsonText("data").notNull(),
});

/** Whatever is open, failed or a dead letter, and nothing else: an event leaves this table when it is handled. */
export const eventWork = relay.table("event_work", {
  eventId: bigint("event_id", { mode: "number" }).primaryKey(),
  deliveryId: uuid("delivery_id").notNull(),
  batchIndex: smallint("batch_index").notNull(),
  /** Leases taken, which is when an attempt is counted. */
  attempts: smallint("attempts").notNull().default(0),
  /** Leases that ended without a result: the process died. */
  deaths: smallint("deaths").notNull().default(0),
  /** Rises with each lease; a result is stored only under the number of its own lease. */
  fence: integer("fence").notNull().default(0),
  leasedUntil: instant("leased_until", 6),
  /** Of the call that took the last lease: a statement that is sent again finds what it has leased. */
  leaseId: uuid("lease_id"),
  nextAttemptAt: instant("next_attempt_at").notNull(),
  /** A message of the queue that will try it is under way until then; the sweep leaves it alone. */
  queuedUntil: instant("queued_until"),
  firstFailedAt: instant("first_failed_at"),
  state: text("state").notNull().default("open"),
  kind: text("kind").notNull(),
  /** Account and other side; events of one conversation run one after another. */
  conversation: text("conversation"),
  errorName: text("error_name"),
  errorCode: text("error_code"),
  replayId: text("replay_id"),
});

/** Calls of a handler, but a success at the first attempt under the batch's own delivery: of those the delivery's `handled_at` tells. `error_name` is null for a success. */
export const handlerAttempts = relay.table("handler_attempts", {
  eventId: bigint("event_id", { mode: "number" }).notNull(),
  at: instant("at").notNull(),
  ms: real("ms").notNull(),
  attempt: smallint("attempt").notNull(),
  errorName: text("error_name"),
  errorCode: text("error_code"),
  /** Only if the error says that it may be shown. */
  errorMessage: text("error_message"),
  frames: text("frames").array(),
  deployment: text("deployment"),
  messageId: text("message_id"),
  replayId: text("replay_id"),
});

/** Messages that were unsent, by the hashes of account and message id: a text that arrives afterwards is stored erased. */
export const unsentMessages = relay.table("unsent_messages", {
  hash: uuid("hash").primaryKey(),
  at: instant("at").notNull(),
});

/** Events that a delivery carried though another one had brought them. */
export const duplicateEvents = relay.table(
  "duplicate_events",
  {
    deliveryId: uuid("delivery_id").notNull(),
    eventId: bigint("event_id", { mode: "number" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.deliveryId, table.eventId] })],
);
