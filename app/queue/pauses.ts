// How each queue holds batches back; null for one that cannot.
import type { QueueName } from "#platform/queue-name.ts";
import type { QueuePause } from "#queue/queue-pause.ts";

import { openCloudTasksPause } from "./node/cloud-tasks.ts";
import { openDrainPause } from "./node/postgres.ts";
import { openQstashPause } from "./node/qstash.ts";

/** By queue. Each throws `ENV_INVALID`. */
export const pauses: Record<QueueName, (() => QueuePause) | null> = {
  qstash: openQstashPause,
  sqs: () => openDrainPause(false),
  "cloud-tasks": openCloudTasksPause,
  redis: () => openDrainPause(false),
  postgres: () => openDrainPause(true),
  vercel: null,
};
