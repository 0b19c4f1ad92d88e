import { type EnvRecord, queueVariables, readEnv } from "#platform/env.ts";
import { toRelayError } from "#platform/errors.ts";
import type { QueueName } from "#platform/queue-name.ts";
import { queueCapabilities } from "#queue/capabilities.ts";

import { createDiagnosis, type Diagnosis } from "../check.ts";
import { diagnoseQstash } from "../diagnose-qstash.ts";
import { checkCloudTasks } from "./check-cloud-tasks.ts";
import { checkDrain } from "./check-drain.ts";
import { checkPostgres } from "./check-postgres.ts";
import { checkRedis } from "./check-redis.ts";
import { checkSqs } from "./check-sqs.ts";
import { checkVercel } from "./check-vercel.ts";
import type { CheckQueue, QueueCheckOptions } from "./queue-check.ts";

/** What each queue is checked with once its variables are readable; QStash's own diagnosis reads them itself. */
const checks: Record<Exclude<QueueName, "qstash">, CheckQueue> = {
  sqs: checkSqs,
  "cloud-tasks": checkCloudTasks,
  redis: checkRedis,
  postgres: checkPostgres,
  vercel: checkVercel,
};

export interface DiagnoseQueueOptions extends QueueCheckOptions {
  queue: QueueName;
}

/** Whether the queue takes and delivers messages. Ends within 30 s and never rejects. */
export async function diagnoseQueue({ queue, ...options }: DiagnoseQueueOptions): Promise<Diagnosis> {
  if (queue === "qstash") return diagnoseQstash(options);
  const gap = findGap(options.env, queue);
  if (gap !== null) {
    const remedy = "Set what is missing; the checks of the environment say more.";
    return createDiagnosis([{ name: "Settings", status: "failed", detail: "incomplete", cause: `${gap}.`, remedy }]);
  }
  const settings = { name: "Settings", status: "ok", detail: "complete" } as const;
  const drain = queueCapabilities[queue].push ? [] : await checkDrain(options);
  return createDiagnosis([settings, ...(await checks[queue](options)), ...drain]);
}

function findGap(env: EnvRecord, queue: QueueName): string | null {
  try {
    readEnv(env, ["RELAY_URL", "RELAY_SECRET", "DATABASE_URL", ...queueVariables[queue]]);
    return null;
  } catch (thrown) {
    return toRelayError(thrown).message;
  }
}
