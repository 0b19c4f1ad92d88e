-- Who did what, and the sessions that may do it.

-- One row of each change that the holder of a token asked for, also of a refused one. Rows are added before the change and
-- settled after it; no route changes or deletes them.
CREATE TABLE "audit" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	"at" timestamp (3) with time zone NOT NULL DEFAULT now(),
	-- The name of the token.
	"actor" text NOT NULL,
	-- page, command or api.
	"via" text NOT NULL,
	-- The network that the request came from.
	"address" text NOT NULL,
	"action" text NOT NULL,
	-- What it was done to: an id.
	"target" text,
	-- What was asked for, without its reason.
	"filter" json,
	"reason" text,
	-- started, ok, or the code of the error.
	"result" text NOT NULL,
	"settled_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE INDEX "audit_actor" ON "audit" ("actor", "id");
--> statement-breakpoint
CREATE INDEX "audit_action" ON "audit" ("action", "id");
--> statement-breakpoint
CREATE INDEX "audit_target" ON "audit" ("target", "id") WHERE "target" IS NOT NULL;
--> statement-breakpoint
CREATE INDEX "audit_not_ok" ON "audit" ("result", "id") WHERE "result" <> 'ok';
--> statement-breakpoint
CREATE INDEX "audit_at" ON "audit" ("at");
--> statement-breakpoint
-- A session is valid while its row is here and has not ended, and as long as its token is configured.
CREATE TABLE "sessions" (
	"id" text PRIMARY KEY,
	-- The name of the token that signed it.
	"name" text NOT NULL,
	"address" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE INDEX "sessions_name" ON "sessions" ("name", "created_at");
