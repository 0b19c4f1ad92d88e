import { and, desc, eq, gt, isNull, notInArray, sql } from "drizzle-orm";

import { RelayError } from "#platform/errors.ts";

import type { LifecycleMark, PlannedExperiment, StartedRun } from "#lifecycle/experiment.ts";

import type { Database } from "./database.ts";
import { lifecycleExperiments, lifecycleRuns } from "./schema.ts";
import { withStoreErrors } from "./store-error.ts";
import { inTransaction } from "./transaction.ts";

/** How many experiments are kept, the new one among them. */
const experimentsMax = 20;

/** After its last work is due a mark may still be on time for so long. */
const restMs = 2_000;

/**
 * Stores an experiment that is about to begin, and forgets the oldest. Throws `EXPERIMENT_RUNNING` while there is work of
 * another to come: the requests of one wake instances whose sleep is the finding of the other.
 */
export async function createLifecycleExperiment(
  db: Database,
  { id, startedAtMs, runs }: PlannedExperiment,
): Promise<void> {
  await withStoreErrors(() =>
    inTransaction(db, async (tx) => {
      await tx.execute(sql`select pg_advisory_xact_lock(hashtext('lifecycle_experiments'))`);
      const since = new Date(startedAtMs - restMs);
      const underWay = await tx
        .select({ id: lifecycleRuns.experimentId })
        .from(lifecycleRuns)
        .innerJoin(lifecycleExperiments, eq(lifecycleExperiments.id, lifecycleRuns.experimentId))
        .where(
          gt(sql`${lifecycleExperiments.startedAt} + ${lifecycleRuns.dueAfterMs} * interval '1 millisecond'`, since),
        )
        .limit(1);
      if (underWay.length > 0) throw new RelayError("EXPERIMENT_RUNNING", "Another experiment is under way");
      await tx.insert(lifecycleExperiments).values({ id, startedAt: new Date(startedAtMs) });
      await tx.insert(lifecycleRuns).values(runs.map((run) => ({ ...run, experimentId: id })));
      const newest = tx
        .select({ id: lifecycleExperiments.id })
        .from(lifecycleExperiments)
        .orderBy(desc(lifecycleExperiments.startedAt), desc(lifecycleExperiments.id))
        .limit(experimentsMax);
      await tx.delete(lifecycleExperiments).where(notInArray(lifecycleExperiments.id, newest));
    }),
  );
}

/** Stores how a run began. Its mark may have arrived before. */
export async function saveLifecycleStart(
  db: Database,
  experimentId: string,
  { runtime, strategy, status, startedAtMs, region, answerMs }: StartedRun,
): Promise<void> {
  const startedAt = startedAtMs === null ? null : new Date(startedAtMs);
  await withStoreErrors(() =>
    db
      .update(lifecycleRuns)
      .set({ status, startedAt, region, answerMs })
      .where(isRun({ experimentId, runtime, strategy })),
  );
}

/** Stores when a run's mark arrived, the first time; returns whether it did. */
export async function saveLifecycleMark(db: Database, mark: LifecycleMark, arrivedAtMs: number): Promise<boolean> {
  const updated = await withStoreErrors(() =>
    db
      .update(lifecycleRuns)
      .set({ arrivedAt: new Date(arrivedAtMs) })
      .where(and(isRun(mark), isNull(lifecycleRuns.arrivedAt)))
      .returning({ strategy: lifecycleRuns.strategy }),
  );
  return updated.length > 0;
}

function isRun({ experimentId, runtime, strategy }: LifecycleMark) {
  return and(
    eq(lifecycleRuns.experimentId, experimentId),
    eq(lifecycleRuns.runtime, runtime),
    eq(lifecycleRuns.strategy, strategy),
  );
}
