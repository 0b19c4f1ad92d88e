-- All rows are copied and every further one is carried over: the tables get the name under which the new release looks.
DO $$
BEGIN
	IF EXISTS (SELECT FROM relay_move.parts WHERE NOT done) THEN
		RAISE EXCEPTION 'not all tables are copied';
	END IF;
END $$;

LOCK TABLE public.lifecycle_experiments, public.lifecycle_runs IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO relay_next.lifecycle_experiments (id, started_at) SELECT id, started_at FROM public.lifecycle_experiments;
INSERT INTO relay_next.lifecycle_runs
	(experiment_id, runtime, strategy, due_after_ms, status, started_at, region, answer_ms, arrived_at)
SELECT experiment_id, runtime, strategy, due_after_ms, status, started_at, region, answer_ms, arrived_at
FROM public.lifecycle_runs;
ALTER TABLE relay_move.parts ADD COLUMN moved_at timestamptz NOT NULL DEFAULT now();
ALTER SCHEMA relay_next RENAME TO relay;
