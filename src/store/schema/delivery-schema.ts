import { bigint, boolean, integer, primaryKey, real, smallint, text, uuid } from "drizzle-orm/pg-core";

import { instant, relay } from "./columns.ts";

/** One row per delivery from Meta: its facts, its forward's report, and its first batch. Ids are UUIDs of version 7, which are in the order of time; other ids are in the default partition. */
export const deliveries = relay.table("deliveries", {
  id: uuid("id").primaryKey(),
  receivedAt: instant("received_at").notNull(),
  bodyBytes: integer("body_bytes").notNull(),
  coldStart: boolean("cold_start").notNull(),
  probe: boolean("probe").notNull(),
  runtime: text("runtime").notNull(),
  region: text("region"),
  deployment: text("deployment"),
  /** Of the consumer: null until the batch of index 0 is ingested. */
  via: text("via"),
  batches: smallint("batches"),
  retried: smallint("retried"),
  inserted: smallint("inserted"),
  duplicates: smallint("duplicates"),
  ingestMs: real("ingest_ms"),
  handlerMs: real("handler_ms"),
  firstEventId: bigint("first_event_id", { mode: "number" }),
  lastEventId: bigint("last_event_id", { mode: "number" }),
  deliveredAt: instant("delivered_at"),
  ingestedAt: instant("ingested_at"),
  /** When the last handler of the whole delivery had succeeded. */
  handledAt: instant("handled_at"),
  messageId: text("message_id"),
  /** Of the edge: from the batch where it is known before the publish, else from the report. */
  ackMs: real("ack_ms"),
  publishStartedAt: instant("publish_started_at"),
  /** Of the report: null where none came, which sampling makes the rule. */
  events: integer("events"),
  outcome: text("outcome"),
  publishMs: real("publish_ms"),
  publishedAt: instant("published_at"),
  attempts: smallint("attempts"),
  timeouts: smallint("timeouts"),
  errorType: text("error_type"),
  /** The queue's id for each batch, in their order. */
  messageIds: text("message_ids").array(),
  reportedAt: instant("reported_at"),
  /** The trace of its spans, where tracing is on and the trace has an id of its own. */
  traceId: uuid("trace_id"),
});

/** The batches of a large delivery from the second on. */
export const deliveryBatches = relay.table(
  "delivery_batches",
  {
    deliveryId: uuid("delivery_id").notNull(),
    batchIndex: smallint("batch_index").notNull(),
    retried: smallint("retried"),
    inserted: smallint("inserted").notNull(),
    duplicates: smallint("duplicates").notNull(),
    ingestMs: real("ingest_ms").notNull(),
    firstEventId: bigint("first_event_id", { mode: "number" }),
    lastEventId: bigint("last_event_id", { mode: "number" }),
    deliveredAt: instant("delivered_at").notNull(),
    ingestedAt: instant("ingested_at").notNull(),
    messageId: text("message_id"),
  },
  (table) => [primaryKey({ columns: [table.deliveryId, table.batchIndex] })],
);

/** Calls by the queue (or by the fallback) to ingest a batch, but the first success of each batch, which is in `deliveries` or `delivery_batches`: failures, and repeats. Partitions of one week by `at`, as of `handler_attempts`. */
export const deliveryAttempts = relay.table("delivery_attempts", {
  deliveryId: uuid("delivery_id"),
  at: instant("at").notNull(),
  ms: real("ms").notNull(),
  batchIndex: smallint("batch_index"),
  retried: smallint("retried"),
  status: smallint("status").notNull(),
  errorCode: text("error_code"),
  messageId: text("message_id"),
  deployment: text("deployment"),
});
