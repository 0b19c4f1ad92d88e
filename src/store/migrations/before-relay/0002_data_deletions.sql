CREATE TABLE "data_deletions" (
	"request_id" text PRIMARY KEY NOT NULL,
	"code" text NOT NULL,
	"user_id" text,
	"requested_at" timestamp (3) with time zone NOT NULL,
	"erased" integer DEFAULT 0 NOT NULL,
	"completed_at" timestamp (3) with time zone,
	CONSTRAINT "data_deletions_code_unique" UNIQUE("code")
);
--> statement-breakpoint
CREATE TABLE "deauthorizations" (
	"request_id" text PRIMARY KEY NOT NULL,
	"user_id" text,
	"issued_at" timestamp (3) with time zone,
	"recorded_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "erased_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "deauthorizations_user" ON "deauthorizations" USING btree ("user_id");