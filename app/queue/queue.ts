// The queue that the build was made for, as the Node routes use it.
import { qstashLog } from "#dashboard/status/qstash-log.ts";
import type { QueueView } from "#dashboard/status/queue-view.ts";
import type { QstashApi } from "#platform/qstash-api.ts";
import type { QueueName } from "#platform/queue-name.ts";
import { queue } from "#queue-publisher";
import { type QueueCapabilities, queueCapabilities } from "#queue/capabilities.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";
import { publishBySize } from "#queue/publish-by-size.ts";
import { ifQstashIsUsed } from "#queue/qstash/qstash-in-use.ts";
import { describeNoPause, openPauseOf, type QueuePause } from "#queue/queue-pause.ts";

import { openCloudTasksMessages } from "./node/cloud-tasks.ts";
import { openTableMessages } from "./node/postgres.ts";
import { openQstashApi, openQstashMessages } from "./node/qstash.ts";
import { openVercelMessages } from "./node/vercel.ts";
import { pauses } from "./pauses.ts";

/** What publishes the relay's messages to its own routes. */
const messagePublishers: Record<QueueName, () => MessagePublisher> = {
  qstash: openQstashMessages,
  sqs: openTableMessages,
  "cloud-tasks": openCloudTasksMessages,
  redis: openTableMessages,
  postgres: openTableMessages,
  vercel: openVercelMessages,
};

export const queueName: QueueName = queue.name;
export const capabilities: QueueCapabilities = queueCapabilities[queue.name];

/** Publishes messages to our own routes; what is too large for the queue, into the table. Throws `ENV_INVALID`. */
export function openMessagePublisher(): MessagePublisher {
  return publishBySize(messagePublishers[queue.name](), capabilities.bytesMax, openTableMessages);
}

/** How ingestion is paused, or why it cannot be. Throws `ENV_INVALID`. */
export function openQueuePause(): QueuePause {
  return openPauseOf(pauses[queue.name], capabilities);
}

/** QStash's API; null if another queue is used and QStash's token is not set. Throws `ENV_INVALID`. */
export function openUsedQstashApi(): QstashApi | null {
  return ifQstashIsUsed(process.env, queue.name, openQstashApi);
}

/** What pages say of it. */
export function queueView(): QueueView {
  const logHref = qstashLog(capabilities, process.env.QSTASH_URL);
  return { ...capabilities, noPause: describeNoPause(capabilities), logHref };
}
