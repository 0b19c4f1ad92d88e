import { readEnv } from "#platform/env.ts";
import { createCloudTasksApi } from "#queue/cloud-tasks/cloud-tasks-api.ts";
import { createCloudTasksMessagePublisher } from "#queue/cloud-tasks/cloud-tasks-message-publisher.ts";
import { createCloudTasksPause } from "#queue/cloud-tasks/cloud-tasks-pause.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";
import type { QueuePause } from "#queue/queue-pause.ts";

import { clock } from "../../log.ts";

const variables = ["CLOUD_TASKS_QUEUE", "GOOGLE_SERVICE_ACCOUNT_KEY", "CLOUD_TASKS_URL"] as const;

/** Throws `ENV_INVALID`. */
export function openCloudTasksMessages(): MessagePublisher {
  const env = readEnv(process.env, [...variables, "RELAY_URL", "VERCEL_AUTOMATION_BYPASS_SECRET"]);
  return createCloudTasksMessagePublisher({
    url: env.CLOUD_TASKS_URL,
    queue: env.CLOUD_TASKS_QUEUE,
    account: env.GOOGLE_SERVICE_ACCOUNT_KEY,
    relayUrl: env.RELAY_URL[0],
    bypassSecret: env.VERCEL_AUTOMATION_BYPASS_SECRET,
    fetch,
    clock,
  });
}

/** Throws `ENV_INVALID`. */
export function openCloudTasksPause(): QueuePause {
  const env = readEnv(process.env, variables);
  const { CLOUD_TASKS_URL: url, CLOUD_TASKS_QUEUE: queue, GOOGLE_SERVICE_ACCOUNT_KEY: account } = env;
  return createCloudTasksPause(createCloudTasksApi({ url, queue, account, timeoutMs: 8_000, fetch, clock }));
}
