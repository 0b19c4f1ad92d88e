-- Alerts: the state of each rule, and what is sent about it.

-- Deliveries that are not ingested, or not kept: few. A row that its first batch inserts never enters it.
CREATE INDEX "deliveries_unfinished" ON "deliveries" ("received_at") WHERE ("ingested_at" IS NULL OR "outcome" IN ('lost', 'refused'));
--> statement-breakpoint
-- A rule's state, per scope: a group of dead letters, a kind of event; empty for rules without one. A row is made when the
-- rule first fires or an operator mutes it.
CREATE TABLE "alerts" (
	"rule" text NOT NULL,
	"scope" text NOT NULL,
	-- 0 while it is resolved; higher ones are worse.
	"level" smallint NOT NULL,
	-- The level that the receivers were last sent.
	"announced" smallint NOT NULL,
	"value" double precision,
	"text" text NOT NULL,
	-- Since when its condition has held without a break, and since when it has not; one of the two is null.
	"bad_since" timestamp (3) with time zone,
	"good_since" timestamp (3) with time zone,
	-- Of a firing rule.
	"since" timestamp (3) with time zone,
	"checked_at" timestamp (3) with time zone NOT NULL,
	"changed_at" timestamp (3) with time zone NOT NULL,
	"announced_at" timestamp (3) with time zone,
	"reminded_at" timestamp (3) with time zone,
	"acknowledged_at" timestamp (3) with time zone,
	"acknowledged_by" text,
	"muted_until" timestamp (3) with time zone,
	"muted_by" text,
	-- Of the newest notice about it.
	"notice_id" uuid,
	PRIMARY KEY ("rule", "scope")
);
--> statement-breakpoint
-- What one evaluation has to say, once for each address that it goes to.
CREATE TABLE "alert_notices" (
	"id" uuid NOT NULL,
	-- The address's host and a hash: the address itself may be a secret.
	"address" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"changes" json NOT NULL,
	"state" text NOT NULL,
	"attempts" smallint NOT NULL DEFAULT 0,
	-- A sender has it until then.
	"claimed_until" timestamp (3) with time zone,
	"tried_at" timestamp (3) with time zone,
	-- What the last attempt met with, for a person.
	"result" text,
	PRIMARY KEY ("id", "address"),
	CONSTRAINT "alert_notices_state" CHECK ("state" IN ('pending', 'sent', 'failed'))
);
--> statement-breakpoint
CREATE INDEX "alert_notices_pending" ON "alert_notices" ("at") WHERE "state" = 'pending';
