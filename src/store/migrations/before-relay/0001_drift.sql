CREATE TABLE "drift" (
	"kind" text NOT NULL,
	"path" text NOT NULL,
	"finding" text NOT NULL,
	"shape" text NOT NULL,
	"count" bigint NOT NULL,
	"first_seen" timestamp (3) with time zone NOT NULL,
	"last_seen" timestamp (3) with time zone NOT NULL,
	"event_id" bigint NOT NULL,
	CONSTRAINT "drift_kind_path_finding_shape_pk" PRIMARY KEY("kind","path","finding","shape")
);
--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "drifted" boolean DEFAULT false NOT NULL;