import { type InternalCallOptions, postInternal } from "#platform/post-internal.ts";
import { describeCause, type Log } from "#platform/log.ts";

import type { LifecycleRuntime, LifecycleTiming, PlannedExperiment, PlannedRun, StartedRun } from "./experiment.ts";
import { planRuns } from "./strategies.ts";
import { parseRunAnswer, type RunRequest } from "./wire.ts";

export interface ExperimentStore {
  /** Before the first run, so that a mark finds its run. */
  create(experiment: PlannedExperiment): Promise<void>;
  saveStart(experimentId: string, run: StartedRun): Promise<void>;
}

export interface StartExperimentOptions extends Omit<InternalCallOptions, "url"> {
  id: string;
  timing: LifecycleTiming;
  /** The parts of the experiment, one on each runtime. */
  urls: Record<LifecycleRuntime, string>;
  store: ExperimentStore;
  log: Log;
}

/** Longer than the race, with a cold start before it. */
const answerTimeoutMs = 8_000;
/** What tells another time is no part of this deployment, or its times say nothing. */
const clocksApartMsMax = 60_000;

/**
 * Begins every run by a request of its own, all at once, and resolves when each has answered or been given up. A run that
 * cannot be begun is a finding; throws what the store throws.
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
  // Not before all are done: what goes on after an answer may be stopped.
  const runs = settled.map((run) => {
    if (run.status === "rejected") throw run.reason;
    return run.value;
  });
  return { id, startedAt: new Date(startedAtMs).toISOString(), runs };
}

async function startRun(
  { runtime, strategy, dueAfterMs }: PlannedRun,
  { id: experimentId, urls, log, ...call }: StartExperimentOptions,
): Promise<Omit<StartedRun, keyof PlannedRun>> {
  const body = new TextEncoder().encode(JSON.stringify({ experimentId, strategy, dueAfterMs } satisfies RunRequest));
  const sentAtMs = call.clock.monotonicMs();
  let answerMs: number | null = null;
  try {
    const { status, text } = await postInternal(body, answerTimeoutMs, { ...call, url: urls[runtime] });
    answerMs = call.clock.monotonicMs() - sentAtMs;
    const answer = status === 200 ? parseRunAnswer(text) : undefined;
    const isNow = answer !== undefined && Math.abs(answer.startedAtMs - call.clock.nowMs()) < clocksApartMsMax;
    if (isNow) return { ...answer, answerMs };
    log.warn("request.failed", { to: "lifecycle", runtime, strategy, status });
  } catch (thrown) {
    log.warn("request.failed", { to: "lifecycle", runtime, strategy, ...describeCause(thrown) });
  }
  return { status: "failed", startedAtMs: null, region: null, answerMs };
}
