CREATE TABLE "dead_letters" (
	"id" text PRIMARY KEY NOT NULL,
	"message_id" text NOT NULL,
	"delivery_id" text,
	"url" text NOT NULL,
	"status" integer NOT NULL,
	"retried" integer NOT NULL,
	"recorded_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"id" text PRIMARY KEY NOT NULL,
	"runtime" text NOT NULL,
	"region" text,
	"cold_start" boolean NOT NULL,
	"probe" boolean NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"body_bytes" integer NOT NULL,
	"events" integer,
	"outcome" text,
	"ack_ms" double precision,
	"publish_ms" double precision,
	"published_at" timestamp (3) with time zone,
	"attempts" integer,
	"timeouts" integer,
	"error_type" text,
	"reported_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "delivery_chunks" (
	"delivery_id" text NOT NULL,
	"chunk" smallint NOT NULL,
	"chunks" smallint NOT NULL,
	"inserted" integer NOT NULL,
	"duplicates" integer NOT NULL,
	"delivered_at" timestamp (3) with time zone NOT NULL,
	"ingested_at" timestamp (3) with time zone NOT NULL,
	"ingest_ms" double precision NOT NULL,
	"handled_at" timestamp (3) with time zone,
	CONSTRAINT "delivery_chunks_delivery_id_chunk_pk" PRIMARY KEY("delivery_id","chunk")
);
--> statement-breakpoint
CREATE TABLE "delivery_events" (
	"delivery_id" text NOT NULL,
	"event_id" bigint NOT NULL,
	CONSTRAINT "delivery_events_delivery_id_event_id_pk" PRIMARY KEY("delivery_id","event_id")
);
--> statement-breakpoint
CREATE TABLE "events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"key" text NOT NULL,
	"kind" text NOT NULL,
	"account_id" text NOT NULL,
	"sender_id" text,
	"recipient_id" text,
	"occurred_at" timestamp (3) with time zone,
	"sent_at" timestamp (3) with time zone,
	"standby" boolean NOT NULL,
	"test" boolean NOT NULL,
	"data" json NOT NULL,
	"delivery_id" text NOT NULL,
	"ingested_at" timestamp (3) with time zone NOT NULL,
	"handled_at" timestamp (3) with time zone,
	"handler_attempts" integer DEFAULT 0 NOT NULL,
	"handler_error" text,
	CONSTRAINT "events_key_unique" UNIQUE("key")
);
--> statement-breakpoint
CREATE TABLE "handler_counts" (
	"name" text PRIMARY KEY NOT NULL,
	"count" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "delivery_events" ADD CONSTRAINT "delivery_events_event_id_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "public"."events"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "dead_letters_recorded_at" ON "dead_letters" USING btree ("recorded_at");--> statement-breakpoint
CREATE INDEX "deliveries_received_at" ON "deliveries" USING btree ("received_at","runtime");--> statement-breakpoint
CREATE INDEX "delivery_events_event" ON "delivery_events" USING btree ("event_id");--> statement-breakpoint
CREATE INDEX "events_kind_id" ON "events" USING btree ("kind","id");--> statement-breakpoint
CREATE INDEX "events_account_id" ON "events" USING btree ("account_id","id");--> statement-breakpoint
CREATE INDEX "events_ingested_at" ON "events" USING btree ("ingested_at");