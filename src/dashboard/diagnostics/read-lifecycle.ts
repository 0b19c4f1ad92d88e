import { desc, eq } from "drizzle-orm";

import type { StartStatus, Strategy } from "#lifecycle-experiment/experiment.ts";
import { explainExperiment, explainRun } from "#lifecycle-experiment/explain-verdicts.ts";
import { judgeRun, pendingUntilMs, type Verdict } from "#lifecycle-experiment/judge-run.ts";
import { strategies } from "#lifecycle-experiment/strategies.ts";
import { type Runtime, runtimes } from "#platform/delivery.ts";
import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/connection/database.ts";
import { lifecycleExperiments, lifecycleRuns } from "#store/schema/lifecycle-schema.ts";

export interface LifecycleRun {
  runtime: Runtime;
  strategy: Strategy;
  region: string | null;
  /** Null while the request that starts the run has no answer. */
  status: StartStatus | null;
  /** How long the answer to that request took; the sender of a webhook would have waited as long. */
  answerMs: number | null;
  /** When its work was due and when its mark arrived, both counted from the start of the work. */
  dueAfterMs: number;
  arrivedAfterMs: number | null;
  verdict: Verdict;
  meaning: string;
}

export interface LifecycleExperiment {
  id: string;
  startedAt: string;
  /** When no run will be pending any more; null if none is. */
  lookAgainAt: string | null;
  conclusion: string;
  runs: LifecycleRun[];
}

/** One experiment with its verdicts at `nowMs`. Throws `NOT_FOUND` if the id is unknown or the experiment was deleted for newer ones. */
export async function readLifecycle(db: Database, id: string, nowMs: number): Promise<LifecycleExperiment> {
  // Postgres refuses text that contains NUL, so no stored id does.
  const rows = id.includes("\0") ? [] : await readRows(db, id);
  const [first] = rows;
  if (first === undefined) throw new RelayError("NOT_FOUND", "No such experiment");
  const observed = rows.map(({ run, startedAt }) => observe(run, startedAt));
  const pending = observed.filter((run) => judgeRun(run, nowMs) === "pending");
  const runs = observed.map((run) => judge(run, nowMs)).toSorted(inOrder);
  return {
    id,
    startedAt: first.startedAt.toISOString(),
    lookAgainAt: pending.length === 0 ? null : new Date(Math.max(...pending.map(pendingUntilMs))).toISOString(),
    conclusion: explainExperiment(runs),
    runs,
  };
}

/** At most `limit` experiments, the newest first. */
export async function readLifecycles(db: Database, limit: number): Promise<{ id: string; startedAt: string }[]> {
  const rows = await db
    .select()
    .from(lifecycleExperiments)
    .orderBy(desc(lifecycleExperiments.startedAt), desc(lifecycleExperiments.id))
    .limit(limit);
  return rows.map(({ id, startedAt }) => ({ id, startedAt: startedAt.toISOString() }));
}

function readRows(db: Database, id: string) {
  return db
    .select({ run: lifecycleRuns, startedAt: lifecycleExperiments.startedAt })
    .from(lifecycleRuns)
    .innerJoin(lifecycleExperiments, eq(lifecycleExperiments.id, lifecycleRuns.experimentId))
    .where(eq(lifecycleRuns.experimentId, id));
}

type RunRow = typeof lifecycleRuns.$inferSelect;

/** A run that has not reported its start is taken to have started with the experiment. */
function observe(run: RunRow, experimentStartedAt: Date) {
  return {
    ...run,
    startedAtMs: (run.startedAt ?? experimentStartedAt).getTime(),
    arrivedAtMs: run.arrivedAt?.getTime() ?? null,
  };
}

function judge(run: ReturnType<typeof observe>, nowMs: number): LifecycleRun {
  const { runtime, strategy, region, status, answerMs, startedAtMs, dueAfterMs, arrivedAtMs } = run;
  const verdict = judgeRun(run, nowMs);
  return {
    runtime,
    strategy,
    region,
    status,
    answerMs,
    dueAfterMs,
    arrivedAfterMs: arrivedAtMs === null ? null : arrivedAtMs - startedAtMs,
    verdict,
    meaning: explainRun({ runtime, strategy, verdict }),
  };
}

function inOrder(a: LifecycleRun, b: LifecycleRun): number {
  return (
    runtimes.indexOf(a.runtime) - runtimes.indexOf(b.runtime) ||
    strategies.indexOf(a.strategy) - strategies.indexOf(b.strategy)
  );
}
