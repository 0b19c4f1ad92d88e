import { doublePrecision, integer, primaryKey, text } from "drizzle-orm/pg-core";

import type { StartStatus, Strategy } from "#lifecycle-experiment/experiment.ts";
import type { Runtime } from "#platform/delivery.ts";

import { instant, relay } from "./columns.ts";

/** One row for each lifecycle experiment; the newest 20 are kept. */
export const lifecycleExperiments = relay.table("lifecycle_experiments", {
  id: text("id").primaryKey(),
  startedAt: instant("started_at").notNull(),
});

/** One row per strategy and runtime, written before the work begins; its mark sets `arrivedAt`. */
export const lifecycleRuns = relay.table(
  "lifecycle_runs",
  {
    experimentId: text("experiment_id")
      .notNull()
      .references(() => lifecycleExperiments.id, { onDelete: "cascade" }),
    runtime: text("runtime").$type<Runtime>().notNull(),
    strategy: text("strategy").$type<Strategy>().notNull(),
    dueAfterMs: integer("due_after_ms").notNull(),
    /** Null while the request that starts the run has no answer. */
    status: text("status").$type<StartStatus>(),
    /** By the clock of the function that started the work. */
    startedAt: instant("started_at"),
    region: text("region"),
    answerMs: doublePrecision("answer_ms"),
    arrivedAt: instant("arrived_at"),
  },
  (table) => [primaryKey({ columns: [table.experimentId, table.runtime, table.strategy] })],
);
