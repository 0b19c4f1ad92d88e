-- What finds rows by the ids of other systems, and the deliveries that did not go the usual way.

-- The trace of its spans, where tracing is on and the trace has an id of its own.
ALTER TABLE "deliveries" ADD COLUMN "trace_id" uuid;
--> statement-breakpoint
-- By hash: such an id is looked up as a whole, and the index has less than half the size. Rows without one are not in it.
CREATE INDEX "deliveries_message" ON "deliveries" USING hash ("message_id");
--> statement-breakpoint
CREATE INDEX "deliveries_trace" ON "deliveries" USING hash ("trace_id");
--> statement-breakpoint
CREATE INDEX "delivery_batches_message" ON "delivery_batches" USING hash ("message_id");
--> statement-breakpoint
CREATE INDEX "delivery_attempts_message" ON "delivery_attempts" USING hash ("message_id");
--> statement-breakpoint
CREATE INDEX "handler_attempts_message" ON "handler_attempts" USING hash ("message_id");
--> statement-breakpoint
CREATE INDEX "dead_letters_message" ON "dead_letters" USING hash ("message_id");
--> statement-breakpoint
CREATE INDEX "dead_letters_dlq" ON "dead_letters" USING hash ("dlq_id");
--> statement-breakpoint
-- Those that were not published at the first attempt, or are no traffic: few among many.
CREATE INDEX "deliveries_irregular" ON "deliveries" ("received_at")
WHERE "via" = 'fallback' OR "outcome" <> 'published' OR "error_type" IS NOT NULL OR "probe";
