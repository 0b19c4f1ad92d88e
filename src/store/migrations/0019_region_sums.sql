-- The figures of past hours and days, summed up over regions: the question that is asked most needs them of all regions, and
-- their number grows with every region that served.
CREATE TABLE "region_sums" (
	"tier" text NOT NULL,
	"deployment" text NOT NULL,
	"at" timestamp (0) with time zone NOT NULL,
	"metric" text NOT NULL,
	"runtime" text NOT NULL,
	"cold" text NOT NULL,
	"kind" text NOT NULL,
	"label" text NOT NULL,
	-- As in "figures".
	"count" double precision NOT NULL,
	"sum_ms" double precision,
	"max_ms" double precision,
	"within_250" double precision,
	"within_1000" double precision,
	"within_5000" double precision,
	"buckets" bytea,
	PRIMARY KEY ("tier", "deployment", "at", "metric", "runtime", "cold", "kind", "label")
);
--> statement-breakpoint
-- Not compressed, for the reason that "figures" gives.
ALTER TABLE "region_sums" ALTER COLUMN "buckets" SET STORAGE EXTERNAL;
--> statement-breakpoint
-- The hours and days whose sums over regions are missing or out of date: of them the figures themselves are read.
CREATE TABLE "unsummed_intervals" (
	"tier" text NOT NULL,
	"at" timestamp (0) with time zone NOT NULL,
	PRIMARY KEY ("tier", "at")
);
--> statement-breakpoint
-- By triggers, because a release that knows no sums may change figures, too, and so may an operator.
CREATE FUNCTION "mark_unsummed"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		DELETE FROM relay.region_sums;
	ELSIF TG_LEVEL = 'ROW' THEN
		INSERT INTO relay.unsummed_intervals SELECT OLD.tier, OLD.at WHERE OLD.tier IN ('hour', 'day')
		ON CONFLICT (tier, at) DO UPDATE SET at = excluded.at;
	ELSE
		-- An update, because it locks the mark: else it could be removed before this change is visible, and the sums would never be
		-- made again. In an order, so that two changes do not wait for one another crosswise.
		INSERT INTO relay.unsummed_intervals
		SELECT DISTINCT tier, at FROM changed WHERE tier IN ('hour', 'day') ORDER BY 1, 2
		ON CONFLICT (tier, at) DO UPDATE SET at = excluded.at;
	END IF;
	RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "figures_inserted" AFTER INSERT ON "figures" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION "mark_unsummed"();
--> statement-breakpoint
CREATE TRIGGER "figures_updated" AFTER UPDATE ON "figures" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION "mark_unsummed"();
--> statement-breakpoint
-- The interval that a figure leaves. By row, so that a roll-up, which sets neither column, does not pay for it.
CREATE TRIGGER "figures_moved" AFTER UPDATE OF "tier", "at" ON "figures" FOR EACH ROW EXECUTE FUNCTION "mark_unsummed"();
--> statement-breakpoint
CREATE TRIGGER "figures_deleted" AFTER DELETE ON "figures" REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION "mark_unsummed"();
--> statement-breakpoint
CREATE TRIGGER "figures_truncated" AFTER TRUNCATE ON "figures" FOR EACH STATEMENT EXECUTE FUNCTION "mark_unsummed"();
--> statement-breakpoint
-- After the triggers, which keep writers out until the end of the migration: maintenance sums up what there is, step by step.
INSERT INTO "unsummed_intervals" SELECT DISTINCT "tier", "at" FROM "figures" WHERE "tier" IN ('hour', 'day');
