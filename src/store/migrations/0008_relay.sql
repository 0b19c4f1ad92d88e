-- The relay's own schema. Names are unqualified: the migrator sets the search path to the schema that it creates.

-- What makes an event the same event, for ever: the first 16 bytes of the SHA-256 of its key.
CREATE TABLE "event_keys" (
	"hash" uuid PRIMARY KEY,
	"event_id" bigint NOT NULL
);

CREATE SEQUENCE "event_ids" AS bigint;

-- Appended only; an erasure is the one update. Partitions of one million ids, which maintenance makes ahead and drops.
CREATE TABLE "events" (
	"id" bigint NOT NULL,
	"ingested_at" timestamp (3) with time zone NOT NULL,
	"occurred_at" timestamp (3) with time zone,
	"sent_at" timestamp (3) with time zone,
	"erased_at" timestamp (3) with time zone,
	"delivery_id" uuid NOT NULL,
	"batch_index" smallint NOT NULL,
	"standby" boolean NOT NULL,
	"test" boolean NOT NULL,
	"drifted" boolean NOT NULL,
	"kind" text NOT NULL,
	"account_id" text NOT NULL,
	"sender_id" text,
	"recipient_id" text,
	"key" text NOT NULL,
	"data" json NOT NULL,
	PRIMARY KEY ("id")
) PARTITION BY RANGE ("id");

-- Without the id: equal values then share an entry of the index, which makes it a quarter as large. The newest events of a
-- frequent kind or account are found by the id backwards, all of a rare one here.
CREATE INDEX "events_kind" ON "events" ("kind");

CREATE INDEX "events_account" ON "events" ("account_id");

CREATE INDEX "events_sender" ON "events" ("sender_id");

-- Ids are nearly in the order of time, so the summary of each range of pages finds the ids of an interval.
CREATE INDEX "events_ingested_at" ON "events" USING brin ("ingested_at");

-- Whatever is open, failed or a dead letter, and nothing else: an event leaves this table when it is handled.
CREATE TABLE "event_work" (
	"event_id" bigint PRIMARY KEY,
	"delivery_id" uuid NOT NULL,
	"batch_index" smallint NOT NULL,
	-- Leases taken, which is when an attempt is counted.
	"attempts" smallint NOT NULL DEFAULT 0,
	-- Leases that ended without a result: the process died.
	"deaths" smallint NOT NULL DEFAULT 0,
	-- Rises with each lease; a result is stored only under the number of its own lease.
	"fence" integer NOT NULL DEFAULT 0,
	"leased_until" timestamp with time zone,
	"next_attempt_at" timestamp (3) with time zone NOT NULL,
	-- A QStash message that will try it is under way until then; the sweep leaves it alone.
	"queued_until" timestamp (3) with time zone,
	"first_failed_at" timestamp (3) with time zone,
	"state" text NOT NULL DEFAULT 'open',
	"kind" text NOT NULL,
	-- Account and other side; events of one conversation run one after another.
	"conversation" text,
	"error_name" text,
	"error_code" text,
	"replay_id" text,
	CONSTRAINT "event_work_state" CHECK ("state" IN ('open', 'dead'))
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, vacuum_truncate = false);

-- The table is nearly empty most of the time, and of a table without pages a prepared statement reads all there will ever be
-- on its connection: so it keeps some pages from the start.
INSERT INTO "event_work" ("event_id", "delivery_id", "batch_index", "next_attempt_at", "kind")
	SELECT -"n", gen_random_uuid(), 0, now(), '' FROM generate_series(1, 2000) "n";

DELETE FROM "event_work";

-- One row per delivery from Meta: its facts, its forward's report, and its first batch. Ids are UUIDs of version 7, which
-- are in the order of time; other ids are in the default partition. Wide columns are first, so that none needs padding.
CREATE TABLE "deliveries" (
	"id" uuid NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	-- Of the consumer: null until the batch of index 0 is ingested.
	"first_event_id" bigint,
	"last_event_id" bigint,
	"delivered_at" timestamp (3) with time zone,
	"ingested_at" timestamp (3) with time zone,
	-- When the last handler of the whole delivery had succeeded.
	"handled_at" timestamp (3) with time zone,
	-- Of the edge: from the batch where it is known before the publish, else from the report.
	"publish_started_at" timestamp (3) with time zone,
	"ack_ms" real,
	"ingest_ms" real,
	"handler_ms" real,
	"body_bytes" integer NOT NULL,
	"batches" smallint,
	"retried" smallint,
	"inserted" smallint,
	"duplicates" smallint,
	"cold_start" boolean NOT NULL,
	"probe" boolean NOT NULL,
	"runtime" text NOT NULL,
	"region" text,
	"deployment" text,
	"via" text,
	"message_id" text,
	-- Of the report: null where none came, which sampling makes the rule.
	"published_at" timestamp (3) with time zone,
	"reported_at" timestamp (3) with time zone,
	"publish_ms" real,
	"events" integer,
	"attempts" smallint,
	"timeouts" smallint,
	"outcome" text,
	"error_type" text,
	-- QStash's id for each batch, in their order.
	"message_ids" text[],
	PRIMARY KEY ("id")
) PARTITION BY RANGE ("id");

CREATE INDEX "deliveries_received_at" ON "deliveries" ("received_at");

-- The batches of a large delivery from the second on.
CREATE TABLE "delivery_batches" (
	"delivery_id" uuid NOT NULL,
	"batch_index" smallint NOT NULL,
	"retried" smallint,
	"inserted" smallint NOT NULL,
	"duplicates" smallint NOT NULL,
	"ingest_ms" real NOT NULL,
	"first_event_id" bigint,
	"last_event_id" bigint,
	"delivered_at" timestamp (3) with time zone NOT NULL,
	"ingested_at" timestamp (3) with time zone NOT NULL,
	"message_id" text,
	PRIMARY KEY ("delivery_id", "batch_index")
);

-- Events that a delivery carried though another one had brought them.
CREATE TABLE "duplicate_events" (
	"delivery_id" uuid NOT NULL,
	"event_id" bigint NOT NULL,
	PRIMARY KEY ("delivery_id", "event_id")
);

CREATE INDEX "duplicate_events_event" ON "duplicate_events" ("event_id");

-- Calls by QStash (or by the fallback) to ingest a batch, but the first success of each batch, which is in `deliveries` or
-- `delivery_batches`: failures, and repeats. Partitions of one week by `at`, as of `handler_attempts`.
CREATE TABLE "delivery_attempts" (
	"delivery_id" uuid,
	"at" timestamp (3) with time zone NOT NULL,
	"ms" real NOT NULL,
	"batch_index" smallint,
	"retried" smallint,
	"status" smallint NOT NULL,
	"error_code" text,
	"message_id" text,
	"deployment" text
) PARTITION BY RANGE ("at");

CREATE INDEX "delivery_attempts_delivery" ON "delivery_attempts" ("delivery_id");

-- Calls of a handler, but a success at the first attempt under the batch's own delivery: of those the delivery's
-- `handled_at` tells. `error_name` is null for a success.
CREATE TABLE "handler_attempts" (
	"event_id" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"ms" real NOT NULL,
	"attempt" smallint NOT NULL,
	"error_name" text,
	"error_code" text,
	-- Only if the error says that it may be shown.
	"error_message" text,
	"frames" text[],
	"deployment" text,
	"message_id" text,
	"replay_id" text
) PARTITION BY RANGE ("at");

CREATE INDEX "handler_attempts_event" ON "handler_attempts" ("event_id");

CREATE INDEX "handler_attempts_replay" ON "handler_attempts" ("replay_id", "event_id") WHERE "replay_id" IS NOT NULL;

-- Dead letters of one cause.
CREATE TABLE "dead_letter_groups" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	"fingerprint" text NOT NULL UNIQUE,
	-- qstash: its retries were used up; undecodable; handler; too-large.
	"cause" text NOT NULL,
	"error_name" text,
	"error_code" text,
	"kind" text,
	"first_at" timestamp (3) with time zone NOT NULL,
	"first_deployment" text,
	"state" text NOT NULL DEFAULT 'open',
	"ignored_until" timestamp (3) with time zone,
	"note" text,
	"changed_at" timestamp (3) with time zone,
	"changed_by" text,
	-- By an operator's name, a deployment, a replay, or `handled`.
	"resolved_by" text,
	"resolved_at" timestamp (3) with time zone,
	-- When it recurred after it was resolved; null if it has not, or has been resolved again.
	"regressed_at" timestamp (3) with time zone,
	CONSTRAINT "dead_letter_groups_state" CHECK ("state" IN ('open', 'acknowledged', 'resolved', 'ignored'))
);

CREATE TABLE "dead_letters" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	-- `qstash` with its dlqId, `message` with the QStash message's id of an undecodable batch, `handler` with the event's id.
	"source" text NOT NULL,
	"source_id" text NOT NULL,
	"group_id" bigint NOT NULL,
	"recorded_at" timestamp (3) with time zone NOT NULL DEFAULT now(),
	"event_id" bigint,
	"kind" text,
	"delivery_id" uuid,
	"batch_index" smallint,
	"message_id" text,
	"dlq_id" text,
	"url" text,
	"status" smallint,
	"attempts" smallint,
	"error_name" text,
	"error_code" text,
	"error_message" text,
	"frames" text[],
	"deployment" text,
	-- What QStash could not deliver; null for a handler's, whose event is stored, and once it is resolved.
	"body" bytea,
	-- Whether `body` is the whole; QStash cuts it in the failure callback.
	"body_whole" boolean,
	-- When QStash deletes its own copy.
	"expires_at" timestamp (3) with time zone,
	"resolved_at" timestamp (3) with time zone,
	"resolved_by" text,
	UNIQUE ("source", "source_id")
);

CREATE INDEX "dead_letters_group" ON "dead_letters" ("group_id", "id");

CREATE INDEX "dead_letters_open" ON "dead_letters" ("id") WHERE "resolved_at" IS NULL;

CREATE INDEX "dead_letters_event" ON "dead_letters" ("event_id") WHERE "event_id" IS NOT NULL;

CREATE INDEX "dead_letters_delivery" ON "dead_letters" ("delivery_id") WHERE "delivery_id" IS NOT NULL;

-- One row is plan, run and record of a replay.
CREATE TABLE "replays" (
	"id" text PRIMARY KEY,
	"state" text NOT NULL DEFAULT 'planned',
	"mode" text NOT NULL,
	"filter" json NOT NULL,
	"reason" text NOT NULL,
	"actor" text NOT NULL,
	"plan" json NOT NULL,
	-- Events after it came after the plan.
	"event_id_max" bigint NOT NULL,
	-- The event up to which messages are published.
	"cursor" bigint NOT NULL DEFAULT 0,
	"rate_per_minute" integer,
	"total" integer NOT NULL,
	"done" integer NOT NULL DEFAULT 0,
	"failed" integer NOT NULL DEFAULT 0,
	"skipped" integer NOT NULL DEFAULT 0,
	-- Why it stopped before its end, for a person.
	"stopped_because" text,
	"created_at" timestamp (3) with time zone NOT NULL DEFAULT now(),
	"started_at" timestamp (3) with time zone,
	"heartbeat_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "replays_state" CHECK ("state" IN ('planned', 'running', 'cancelled', 'finished', 'stalled'))
);

-- What handlers counted: appended by consumers, folded into `handler_counts` by maintenance.
CREATE TABLE "handler_count_increments" (
	"name" text NOT NULL,
	"count" bigint NOT NULL
);

CREATE TABLE "handler_counts" (
	"name" text PRIMARY KEY,
	"count" bigint NOT NULL
);

-- Differences between Meta's data and our schemas: appended by consumers, folded into `drift` by maintenance.
CREATE TABLE "drift_findings" (
	"kind" text NOT NULL,
	"path" text NOT NULL,
	"finding" text NOT NULL,
	"shape" text NOT NULL,
	"count" integer NOT NULL,
	"seen_at" timestamp (3) with time zone NOT NULL,
	"event_id" bigint NOT NULL
);

CREATE TABLE "drift" (
	"kind" text NOT NULL,
	"path" text NOT NULL,
	"finding" text NOT NULL,
	"shape" text NOT NULL,
	"count" bigint NOT NULL,
	"first_seen" timestamp (3) with time zone NOT NULL,
	"last_seen" timestamp (3) with time zone NOT NULL,
	"event_id" bigint NOT NULL,
	PRIMARY KEY ("kind", "path", "finding", "shape")
);

-- Messages that were unsent, by the hashes of their keys: one that arrives after its unsending is stored without its text.
CREATE TABLE "unsent_messages" (
	"hash" uuid PRIMARY KEY,
	"event_id" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);

CREATE TABLE "data_deletions" (
	"request_id" text PRIMARY KEY,
	"code" text NOT NULL UNIQUE,
	"user_id" text,
	"requested_at" timestamp (3) with time zone NOT NULL,
	"erased" integer NOT NULL DEFAULT 0,
	-- Copies at QStash that could not be deleted, by what the status page says of them.
	"unreached" json,
	"completed_at" timestamp (3) with time zone
);

-- People whose data was erased, while QStash may still deliver what it had before: the id's SHA-256, first 16 bytes.
CREATE TABLE "erased_people" (
	"hash" uuid PRIMARY KEY,
	-- Deliveries received before are erased when they arrive.
	"requested_at" timestamp (3) with time zone NOT NULL
);

CREATE TABLE "deauthorizations" (
	"request_id" text PRIMARY KEY,
	"user_id" text,
	"issued_at" timestamp (3) with time zone,
	"recorded_at" timestamp (3) with time zone NOT NULL
);

CREATE INDEX "deauthorizations_user" ON "deauthorizations" ("user_id");

CREATE TABLE "refusals" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	"at" timestamp (3) with time zone NOT NULL,
	"runtime" text NOT NULL,
	"reason" text NOT NULL,
	"count" integer NOT NULL
);

CREATE INDEX "refusals_at" ON "refusals" ("at");

CREATE TABLE "spent_seals" (
	"id" text PRIMARY KEY,
	"expires_at" timestamp (3) with time zone NOT NULL
);

CREATE TABLE "lifecycle_experiments" (
	"id" text PRIMARY KEY,
	"started_at" timestamp (3) with time zone NOT NULL
);

CREATE TABLE "lifecycle_runs" (
	"experiment_id" text NOT NULL REFERENCES "lifecycle_experiments" ("id") ON DELETE CASCADE,
	"runtime" text NOT NULL,
	"strategy" text NOT NULL,
	"due_after_ms" integer NOT NULL,
	"status" text,
	"started_at" timestamp (3) with time zone,
	"region" text,
	"answer_ms" double precision,
	"arrived_at" timestamp (3) with time zone,
	PRIMARY KEY ("experiment_id", "runtime", "strategy")
);

-- What each part of maintenance did last.
CREATE TABLE "maintenance_parts" (
	"name" text PRIMARY KEY,
	"ran_at" timestamp (3) with time zone NOT NULL,
	"ms" real NOT NULL,
	"result" json NOT NULL,
	"error_name" text
);
