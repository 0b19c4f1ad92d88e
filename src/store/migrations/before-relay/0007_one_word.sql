ALTER TABLE "delivery_chunks" RENAME TO "delivery_batches";--> statement-breakpoint
ALTER TABLE "delivery_batches" RENAME COLUMN "chunk" TO "batch_index";--> statement-breakpoint
ALTER TABLE "delivery_batches" RENAME COLUMN "chunks" TO "batches";--> statement-breakpoint
ALTER TABLE "delivery_batches" RENAME CONSTRAINT "delivery_chunks_delivery_id_chunk_pk" TO "delivery_batches_delivery_id_batch_index_pk";--> statement-breakpoint
-- The former names, for instances of the release before this one that still run. A later migration drops the view.
CREATE VIEW "delivery_chunks" AS
	SELECT "delivery_id", "batch_index" AS "chunk", "batches" AS "chunks", "inserted", "duplicates", "delivered_at", "ingested_at", "ingest_ms", "handled_at"
	FROM "delivery_batches";--> statement-breakpoint
-- They may run as a role that has been granted the table.
DO $$
DECLARE granted record;
BEGIN
	FOR granted IN
		SELECT a.privilege_type, a.grantee::regrole AS role
		FROM pg_class c, aclexplode(c.relacl) a
		WHERE c.oid = 'delivery_batches'::regclass AND a.grantee NOT IN (0, c.relowner)
			AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
	LOOP
		EXECUTE format('GRANT %s ON delivery_chunks TO %s', granted.privilege_type, granted.role);
	END LOOP;
END $$;--> statement-breakpoint
-- This column held when the consumer was called.
ALTER TABLE "events" RENAME COLUMN "ingested_at" TO "delivered_at";--> statement-breakpoint
-- For the same instances, which write `ingested_at` alone.
ALTER TABLE "events" ALTER COLUMN "delivered_at" SET DEFAULT now();--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "ingested_at" timestamp (3) with time zone;--> statement-breakpoint
DROP INDEX "events_ingested_at";--> statement-breakpoint
CREATE INDEX "events_ingested_at" ON "events" USING btree (coalesce("ingested_at", "delivered_at"));
