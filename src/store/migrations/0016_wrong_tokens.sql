-- Wrong tokens of the last minute, so that the processes of a relay share one limit for guesses. Rows are only added, and
-- deleted a minute later.
CREATE TABLE "wrong_tokens" (
	"at" timestamp (3) with time zone NOT NULL DEFAULT clock_timestamp(),
	-- The network that the request came from.
	"client" text NOT NULL
);
--> statement-breakpoint
CREATE INDEX "wrong_tokens_at" ON "wrong_tokens" ("at");
