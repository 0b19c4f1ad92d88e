-- One row is plan, run and record of a backfill: what was read from Instagram's API because its webhooks never came.
CREATE TABLE "backfills" (
	"id" text PRIMARY KEY,
	"state" text NOT NULL DEFAULT 'planned',
	-- Ids with names; never a token.
	"accounts" json NOT NULL,
	"kinds" text[] NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	"until" timestamp (3) with time zone NOT NULL,
	"reason" text NOT NULL,
	"actor" text NOT NULL,
	"plan" json NOT NULL,
	-- Where the next step goes on.
	"position" json NOT NULL,
	-- What the steps did so far.
	"counts" json NOT NULL,
	-- Failures since the last page that was read.
	"strikes" smallint NOT NULL DEFAULT 0,
	-- No step before: Instagram limits how often it may be asked.
	"due_at" timestamp (3) with time zone,
	-- Of the step that runs, or ran last; the next message names it.
	"lease_id" uuid,
	"leased_until" timestamp (3) with time zone,
	-- Why it stopped before its end, for a person.
	"stopped_because" text,
	"created_at" timestamp (3) with time zone NOT NULL DEFAULT now(),
	"started_at" timestamp (3) with time zone,
	"heartbeat_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "backfills_state" CHECK ("state" IN ('planned', 'running', 'stopped', 'cancelled', 'finished'))
);
