import { diagnoseEnv } from "#diagnostics/diagnose-env.ts";
import { diagnoseNetwork } from "#diagnostics/diagnose-network.ts";
import { diagnoseQueue } from "#diagnostics/queue/diagnose-queue.ts";
import { systemClock } from "#platform/clock.ts";
import type { EnvRecord } from "#platform/env.ts";
import { findStoreFault } from "#store/connection/find-store-fault.ts";

import type { Diagnoses } from "./ask-relay.ts";

/** Runs the three diagnoses in this process, with this environment. Never rejects. */
export async function examineHere(env: EnvRecord, onProgress: (doing: string) => void): Promise<Diagnoses> {
  const checked = diagnoseEnv(env, { built: null });
  const common = { env, queue: checked.queue, clock: systemClock };
  onProgress("queue");
  const queue = await silently(() => diagnoseQueue({ ...common, fetch }));
  onProgress("network");
  const network = await diagnoseNetwork({ ...common, findStoreFault });
  return { env: checked, queue, network };
}

/** Without the lines that the SDK prints about its failures: the result has them. */
async function silently<T>(work: () => Promise<T>): Promise<T> {
  const { warn, error } = console;
  console.warn = () => {};
  console.error = () => {};
  try {
    return await work();
  } finally {
    Object.assign(console, { warn, error });
  }
}
