// The queue that the build was made for, as the Node routes use it.
import type { QueueName } from "#platform/queue-name.ts";
import { type QueueCapabilities, queueCapabilities } from "#queue/capabilities.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";
import { queue } from "#queue-publisher";

import { openTableMessages } from "./node/postgres.ts";
import { openQstashMessages } from "./node/qstash.ts";

/** What publishes the relay's messages to its own routes. */
const messagePublishers: Record<QueueName, () => MessagePublisher> = {
  qstash: openQstashMessages,
  sqs: openTableMessages,
  "cloud-tasks": openQstashMessages,
  redis: openTableMessages,
  postgres: openTableMessages,
  vercel: openQstashMessages,
};

export const queueName: QueueName = queue.name;
export const capabilities: QueueCapabilities = queueCapabilities[queue.name];

/** Publishes messages to our own routes. Throws `ENV_INVALID`. */
export function openMessagePublisher(): MessagePublisher {
  return messagePublishers[queue.name]();
}
