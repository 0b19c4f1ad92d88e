CREATE TABLE "lifecycle_experiments" (
	"id" text PRIMARY KEY NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "lifecycle_runs" (
	"experiment_id" text NOT NULL,
	"runtime" text NOT NULL,
	"strategy" text NOT NULL,
	"due_after_ms" integer NOT NULL,
	"status" text,
	"started_at" timestamp (3) with time zone,
	"region" text,
	"answer_ms" double precision,
	"arrived_at" timestamp (3) with time zone,
	CONSTRAINT "lifecycle_runs_experiment_id_runtime_strategy_pk" PRIMARY KEY("experiment_id","runtime","strategy")
);
--> statement-breakpoint
ALTER TABLE "lifecycle_runs" ADD CONSTRAINT "lifecycle_runs_experiment_id_lifecycle_experiments_id_fk" FOREIGN KEY ("experiment_id") REFERENCES "public"."lifecycle_experiments"("id") ON DELETE cascade ON UPDATE no action;