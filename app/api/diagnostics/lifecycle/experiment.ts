import type { LifecycleTiming } from "#lifecycle-experiment/experiment.ts";
import { startExperiment } from "#lifecycle-experiment/start-experiment.ts";
import { readEnv } from "#platform/env.ts";
import { createLifecycleExperiment, saveLifecycleStart } from "#store/operators/save-lifecycle.ts";

import { getDatabase } from "../../../database.ts";
import { clock, log } from "../../../log.ts";

const variables = ["RELAY_URL", "RELAY_SECRET", "VERCEL_AUTOMATION_BYPASS_SECRET", "DATABASE_URL"] as const;

/** Starts the experiment on this deployment, which calls itself at the first address of `RELAY_URL`. */
export function startExperimentHere(timing: LifecycleTiming) {
  const env = readEnv(process.env, variables);
  const db = getDatabase();
  return startExperiment({
    id: crypto.randomUUID(),
    timing,
    relayUrl: env.RELAY_URL[0],
    paths: { edge: "/api/internal/lifecycle/edge", nodejs: "/api/internal/lifecycle/node" },
    store: {
      create: (experiment) => createLifecycleExperiment(db, experiment),
      saveStart: (experimentId, run) => saveLifecycleStart(db, experimentId, run),
    },
    secret: env.RELAY_SECRET[0],
    bypassSecret: env.VERCEL_AUTOMATION_BYPASS_SECRET,
    fetch,
    clock,
    log,
  });
}
