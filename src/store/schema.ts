import {
  bigint,
  boolean,
  customType,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
} from "drizzle-orm/pg-core";

import type { StartStatus, Strategy } from "#lifecycle-experiment/experiment.ts";
import type { Runtime } from "#platform/delivery.ts";

/**
 * JSON kept letter for letter. `jsonb` refuses NUL and lone surrogates and drops repeated keys; `json` stores the text
 * it is given. Written and read as text, so that no driver parses it on the way.
 */
const jsonText = customType<{ data: string; driverData: string }>({ dataType: () => "json" });

const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date", precision: 3 });

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
    ingestedAt: instant("ingested_at").notNull(),
    /** When the user's handler finished with it; null while it has not. */
    handledAt: instant("handled_at"),
    /** Until then somebody is running its handler, or was and died. */
    leasedUntil: instant("leased_until"),
    handlerAttempts: integer("handler_attempts").notNull().default(0),
    /** The name of the error of the last failed attempt, never its message. */
    handlerError: text("handler_error"),
    /** When `data` was replaced because a person asked for it; null while it is the truth. No handler runs after it. */
    erasedAt: instant("erased_at"),
  },
  (table) => [
    index("events_kind_id").on(table.kind, table.id),
    index("events_account_id").on(table.accountId, table.id),
    index("events_ingested_at").on(table.ingestedAt),
  ],
);

/** One row per webhook delivery, written by whichever comes first: the consumer or the forward's report. */
export const deliveries = pgTable(
  "deliveries",
  {
    id: text("id").primaryKey(),
    runtime: text("runtime").notNull(),
    region: text("region"),
    coldStart: boolean("cold_start").notNull(),
    probe: boolean("probe").notNull(),
    receivedAt: instant("received_at").notNull(),
    bodyBytes: integer("body_bytes").notNull(),
    /** From the report: how many events the forward carried. */
    events: integer("events"),
    outcome: text("outcome"),
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

/** One row per ingested QStash message. A redelivery finds its row and changes nothing, so the counts stay the first's. */
export const deliveryChunks = pgTable(
  "delivery_chunks",
  {
    deliveryId: text("delivery_id").notNull(),
    chunk: smallint("chunk").notNull(),
    chunks: smallint("chunks").notNull(),
    inserted: integer("inserted").notNull(),
    duplicates: integer("duplicates").notNull(),
    /** When the consumer was called. */
    deliveredAt: instant("delivered_at").notNull(),
    ingestedAt: instant("ingested_at").notNull(),
    /** From the consumer's entry to its commit, on a monotonic clock. */
    ingestMs: doublePrecision("ingest_ms").notNull(),
    /** When the handlers of all its events had finished. */
    handledAt: instant("handled_at"),
  },
  (table) => [primaryKey({ columns: [table.deliveryId, table.chunk] })],
);

/**
 * Deliveries that were answered with an error, and nothing of what was in them. One row per reason of each report that an
 * isolate makes, every few seconds at most; rows are only added, and dropped when no window reaches them any more.
 */
export const refusals = pgTable(
  "refusals",
  {
    id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    at: instant("at").notNull(),
    runtime: text("runtime").notNull(),
    reason: text("reason").notNull(),
    count: integer("count").notNull(),
  },
  (table) => [index("refusals_at").on(table.at)],
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

/** What QStash gave up on, once per dead letter: a pointer to QStash's own copy. */
export const deadLetters = pgTable(
  "dead_letters",
  {
    /** QStash's id of the dead letter. */
    id: text("id").primaryKey(),
    messageId: text("message_id").notNull(),
    /** Null where the message's body was cut or is not a batch. */
    deliveryId: text("delivery_id"),
    url: text("url").notNull(),
    /** The status of the last attempt; 0 if there was no response. */
    status: integer("status").notNull(),
    retried: integer("retried").notNull(),
    recordedAt: instant("recorded_at").notNull(),
  },
  (table) => [index("dead_letters_recorded_at").on(table.recordedAt)],
);

/**
 * One row per request to erase a person's data. Whose it was is kept only until it is done; `requestId` is a hash of
 * Meta's signature, from which nobody can be found.
 */
export const dataDeletions = pgTable("data_deletions", {
  requestId: text("request_id").primaryKey(),
  /** Leads the person to its status; unguessable. */
  code: text("code").notNull().unique(),
  userId: text("user_id"),
  requestedAt: instant("requested_at").notNull(),
  /** How many events so far. */
  erased: integer("erased").notNull().default(0),
  completedAt: instant("completed_at"),
});

/** One row per person who took our app's permissions back. */
export const deauthorizations = pgTable(
  "deauthorizations",
  {
    requestId: text("request_id").primaryKey(),
    /** Meta's id of the person for our app; null once the person's data is erased. */
    userId: text("user_id"),
    issuedAt: instant("issued_at"),
    recordedAt: instant("recorded_at").notNull(),
  },
  (table) => [index("deauthorizations_user").on(table.userId)],
);

/** How what Meta sends differs from our schemas: names and JSON types, never a value; a row for each difference. */
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

/** One row for each lifecycle experiment; the newest 20 are kept. */
export const lifecycleExperiments = pgTable("lifecycle_experiments", {
  id: text("id").primaryKey(),
  startedAt: instant("started_at").notNull(),
});

/** One row per strategy and runtime, written before the work begins; its mark sets `arrivedAt`. */
export const lifecycleRuns = pgTable(
  "lifecycle_runs",
  {
    experimentId: text("experiment_id")
      .notNull()
      .references(() => lifecycleExperiments.id, { onDelete: "cascade" }),
    runtime: text("runtime").$type<Runtime>().notNull(),
    strategy: text("strategy").$type<Strategy>().notNull(),
    dueAfterMs: integer("due_after_ms").notNull(),
    /** Null while the request that starts the run has no answer. */
    status: text("status").$type<StartStatus>(),
    /** By the clock of the function that started the work. */
    startedAt: instant("started_at"),
    region: text("region"),
    answerMs: doublePrecision("answer_ms"),
    arrivedAt: instant("arrived_at"),
  },
  (table) => [primaryKey({ columns: [table.experimentId, table.runtime, table.strategy] })],
);

/** Sign-in links that were used and sessions that were ended: what is sealed with the OPS_TOKEN and yet no longer valid. */
export const spentSeals = pgTable("spent_seals", {
  id: text("id").primaryKey(),
  /** The seal's own expiry, after which this row says nothing more. */
  expiresAt: instant("expires_at").notNull(),
});
