import { and, desc, eq, gt, isNull, notInArray, sql } from "drizzle-orm";

import { RelayError } from "#platform/errors.ts";

import type { LifecycleMark, PlannedExperiment, StartedRun } from "#lifecycle-experiment/experiment.ts";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { inTransaction } from "../connection/transaction.ts";
import { lifecycleExperiments, lifecycleRuns } from "../schema/lifecycle-schema.ts";

/** How many experiments are kept, including the new one. */
const experimentsMax = 20;

/** The experiment's tolerance: a mark may still count as on time so long after its work was due. */
const toleranceMs = 2_000;

/**
 * Stores an experiment before its runs start, and deletes the oldest ones. Throws `EXPERIMENT_RUNNING` while marks of
 * another one may still arrive on time: the requests of this one would wake instances that the other one observes as
 * frozen. Throws `STORE_UNAVAILABLE`.
 */
export async function createLifecycleExperiment(
  db: Database,
  { id, startedAtMs, runs }: PlannedExperiment,
): Promise<void> {
  await withStoreErrors(() =>
    inTransaction(db, async (tx) => {
      await tx.execute(sql`select pg_advisory_xact_lock(hashtext('lifecycle_experiments'))`);
      const since = new Date(startedAtMs - toleranceMs);
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

/** Stores how a run started. Its mark may have arrived already. Throws `STORE_UNAVAILABLE`. */
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

/** Stores when a run's mark arrived. Resolves with false for a second mark or an unknown run. Throws `STORE_UNAVAILABLE`. */
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
