-- What is measured: appended by the statements that measure, and rolled up into figures.

-- One row of each step of a delivery. No index: the roll-up takes rows from anywhere and deletes them.
CREATE TABLE "measurements" (
	-- When the webhook was called, at most now.
	"at" timestamp (3) with time zone NOT NULL,
	-- Of an ingested batch; known only within the statement.
	"ingest_ms" real,
	"cold" boolean,
	"probe" boolean NOT NULL,
	"runtime" text NOT NULL,
	"region" text,
	"deployment" text,
	"facts" json NOT NULL,
	-- Of an ingested batch: how many of its events are new, by kind; null if all are.
	"inserted" json,
	-- What both the report and the first batch know of a delivery: in the row of the one that comes first, so that it counts once.
	"first_facts" json
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000);
--> statement-breakpoint
-- What a figure is of. Empty text is "none", or "all": each measurement is added to the series of its deployment and, for as
-- long as deployments come and go, to the one with an empty deployment, which sums up all of them.
CREATE TABLE "measurement_series" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	"first_at" timestamp (3) with time zone NOT NULL,
	"metric" text NOT NULL,
	"runtime" text NOT NULL,
	"region" text NOT NULL,
	"deployment" text NOT NULL,
	-- warm, cold, or empty where that is not known.
	"cold" text NOT NULL,
	-- Of an event.
	"kind" text NOT NULL,
	-- An outcome, an error's code or name, a reason, a pair of clocks.
	"label" text NOT NULL,
	UNIQUE ("metric", "runtime", "region", "deployment", "cold", "kind", "label")
);
--> statement-breakpoint
-- Sums of each minute, hour and day, and of all time: all four grow with each roll-up, so the day under way is up to date.
CREATE TABLE "figures" (
	"tier" text NOT NULL,
	"series_id" integer NOT NULL,
	-- The interval's start; the epoch for `total`.
	"at" timestamp (0) with time zone NOT NULL,
	-- Weighed: a report that was sampled counts for those that were not sent.
	"count" double precision NOT NULL,
	-- Of times in milliseconds; null for what is only counted.
	"sum_ms" double precision,
	"max_ms" double precision,
	"within_250" double precision,
	"within_1000" double precision,
	"within_5000" double precision,
	-- The buckets of a histogram of schema 5, see src/measurements/bucket-bytes.ts.
	"buckets" bytea,
	PRIMARY KEY ("tier", "series_id", "at"),
	CONSTRAINT "figures_tier" CHECK ("tier" IN ('minute', 'hour', 'day', 'total'))
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
--> statement-breakpoint
-- Not compressed: reading is what is to be fast. In a statement of its own, as before Postgres 16.
ALTER TABLE "figures" ALTER COLUMN "buckets" SET STORAGE EXTERNAL;
--> statement-breakpoint
-- The same signed body sent to both runtimes from one place at one moment.
CREATE TABLE "probe_pairs" (
	"id" uuid PRIMARY KEY,
	"at" timestamp (3) with time zone NOT NULL,
	"burst" uuid NOT NULL,
	-- Where they were sent from, by the sender's own name.
	"vantage" text NOT NULL,
	"deployment" text,
	"region_edge" text,
	"region_node" text,
	-- From the request to the last byte of the answer, by the sender's monotonic clock; null without an answer of 200.
	"edge_ms" double precision,
	"node_ms" double precision,
	-- The handler's own part, from the answer's Server-Timing.
	"edge_handler_ms" double precision,
	"node_handler_ms" double precision,
	-- Which of the two began cold: none, edge, nodejs, both; null where the answers do not say.
	"cold" text,
	-- Since the previous request to that function that the sender knows of.
	"idle_edge_ms" double precision,
	"idle_node_ms" double precision,
	"first" text NOT NULL,
	-- Whether it was published and ingested, too: the whole way is measured by its deliveries, and its own times are not judged.
	"canary" boolean NOT NULL,
	"delivery_edge" uuid,
	"delivery_node" uuid
);
--> statement-breakpoint
CREATE INDEX "probe_pairs_at" ON "probe_pairs" ("at");
--> statement-breakpoint
CREATE INDEX "probe_pairs_canaries" ON "probe_pairs" ("at") WHERE "canary";
