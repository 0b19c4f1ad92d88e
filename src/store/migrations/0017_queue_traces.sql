-- The trace that a batch belongs to: what takes it continues the trace of the delivery.
ALTER TABLE "queue_messages" ADD COLUMN "traceparent" text;
--> statement-breakpoint
-- How often a message was tried that lies in a queue elsewhere, where that queue counts takings that met an outage, too. A
-- message has a row from its second taking on, until it is dealt with.
CREATE TABLE "queue_takings" (
	"queue" text NOT NULL,
	"message_id" text NOT NULL,
	"takings" smallint NOT NULL,
	"last_at" timestamp (3) with time zone NOT NULL DEFAULT now(),
	PRIMARY KEY ("queue", "message_id")
) WITH (fillfactor = 80);
--> statement-breakpoint
-- By which rows are found that a queue has dropped the message of.
CREATE INDEX "queue_takings_last" ON "queue_takings" ("last_at");
