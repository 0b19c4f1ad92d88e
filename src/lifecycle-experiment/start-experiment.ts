import type { Runtime } from "#platform/delivery.ts";
import { type InternalCallOptions, postInternal } from "#platform/post-internal.ts";
import { describeCause, type Log } from "#platform/log.ts";

import type { LifecycleTiming, PlannedExperiment, PlannedRun, StartedRun } from "./experiment.ts";
import { answerTimeoutMs, planRuns } from "./strategies.ts";
import { parseRunAnswer, type RunRequest } from "./wire.ts";

export interface ExperimentStore {
  /** Called before the first run starts, so that each mark finds its run. */
  create(experiment: PlannedExperiment): Promise<void>;
  /** Called for each run once its request is answered or has failed. */
  saveStart(experimentId: string, run: StartedRun): Promise<void>;
}

export interface StartExperimentOptions extends Omit<InternalCallOptions, "path"> {
  id: string;
  timing: LifecycleTiming;
  /** The routes that start runs, one on each runtime. */
  paths: Record<Runtime, string>;
  store: ExperimentStore;
  log: Log;
}

/** An answer with a more distant time comes from no function of this deployment, or its times cannot be compared. */
const clocksApartMsMax = 60_000;

/**
 * Starts all runs at once, each by a request of its own, and resolves when every request is answered or has failed: within
 * 8 s and the time that storing takes. A run that cannot be started is a result, not an error; rejects with what the store
 * throws.
 */
export async function startExperiment(
  options: StartExperimentOptions,
): Promise<{ id: string; startedAt: string; runs: StartedRun[] }> {
  const { id, timing, store, clock } = options;
  const startedAtMs = clock.nowMs();
  const planned = planRuns(timing);
  await store.create({ id, startedAtMs, runs: planned });
  const settled = await Promise.allSettled(
    planned.map(async (run) => {
      const started = { ...run, ...(await startRun(run, options)) };
      await store.saveStart(id, started);
      return started;
    }),
  );
  // Thrown only now that all are done: the platform may stop what is still running after our response.
  const runs = settled.map((run) => {
    if (run.status === "rejected") throw run.reason;
    return run.value;
  });
  return { id, startedAt: new Date(startedAtMs).toISOString(), runs };
}

async function startRun(
  { runtime, strategy, dueAfterMs }: PlannedRun,
  { id: experimentId, paths, log, ...call }: StartExperimentOptions,
): Promise<Omit<StartedRun, keyof PlannedRun>> {
  const body = new TextEncoder().encode(JSON.stringify({ experimentId, strategy, dueAfterMs } satisfies RunRequest));
  const sentAtMs = call.clock.monotonicMs();
  let answerMs: number | null = null;
  try {
    const { status, text } = await postInternal(body, answerTimeoutMs, { ...call, path: paths[runtime] });
    answerMs = call.clock.monotonicMs() - sentAtMs;
    const answer = status === 200 ? parseRunAnswer(text) : undefined;
    const isNow = answer !== undefined && Math.abs(answer.startedAtMs - call.clock.nowMs()) < clocksApartMsMax;
    if (isNow) return { ...answer, answerMs };
    log.warn("lifecycle.run_failed", { runtime, strategy, status });
  } catch (thrown) {
    log.warn("lifecycle.run_failed", { runtime, strategy, ...describeCause(thrown) });
  }
  return { status: "failed", startedAtMs: null, region: null, answerMs };
}
