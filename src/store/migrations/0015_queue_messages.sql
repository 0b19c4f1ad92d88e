-- Messages that wait in Postgres: batches, where it is the queue, and the relay's own for every queue that is drained.

CREATE TABLE "queue_messages" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	-- What the message is for: the last part of the path of the route that takes it elsewhere.
	"route" text NOT NULL,
	"body" bytea NOT NULL,
	-- Not taken before. To the microsecond: rounded up, a message would not be due yet for the drain that it woke.
	"due_at" timestamp (6) with time zone NOT NULL,
	-- A drain has it until then; null while none has.
	"leased_until" timestamp (3) with time zone,
	"lease_id" uuid,
	-- How often it was taken.
	"takings" smallint NOT NULL DEFAULT 0,
	-- While a message lies here, another with the same id is not added.
	"deduplication_id" text,
	"label" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL DEFAULT now()
) WITH (
	-- A lease changes no indexed column, so with room on the page it costs no entry in an index.
	fillfactor = 60,
	-- Every message is deleted within a moment: what is dead is cleared after so many rows, however large the table once was.
	autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0,
	autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000
);
--> statement-breakpoint
-- Bodies are read once, so compressing them costs more than it saves.
ALTER TABLE "queue_messages" ALTER COLUMN "body" SET STORAGE EXTERNAL;
--> statement-breakpoint
-- Each route's messages in the order of their time.
CREATE INDEX "queue_messages_due" ON "queue_messages" ("route", "due_at");
--> statement-breakpoint
CREATE UNIQUE INDEX "queue_messages_deduplication" ON "queue_messages" ("deduplication_id") WHERE "deduplication_id" IS NOT NULL;
--> statement-breakpoint
-- Who drains: from 1 on the drains that may run at once; 0 is the one that waits for messages to become due.
CREATE TABLE "queue_drains" (
	"slot" smallint PRIMARY KEY,
	"lease_id" uuid,
	"leased_until" timestamp (3) with time zone,
	-- Messages came while it ran: it looks once more before it ends.
	"wanted" boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
--> statement-breakpoint
-- One row while batches are held back.
CREATE TABLE "queue_pause" (
	"is_paused" boolean PRIMARY KEY DEFAULT true CHECK ("is_paused"),
	"since" timestamp (3) with time zone NOT NULL DEFAULT now()
);
