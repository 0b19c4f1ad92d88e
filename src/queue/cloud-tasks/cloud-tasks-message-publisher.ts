import { encoder } from "#platform/bytes.ts";

import type { MessagePublisher } from "../message-publisher.ts";
import { retriesHeader } from "../retries-header.ts";
import { createTaskCreator, type TaskCreatorOptions } from "./task-creator.ts";

/** Publishes the relay's messages to its own routes as tasks. Labels are not Cloud Tasks'. */
export function createCloudTasksMessagePublisher(options: TaskCreatorOptions): MessagePublisher {
  const createTask = createTaskCreator(options);
  return {
    async publish({ to, body, flowControl, deduplicationId = crypto.randomUUID(), retries, ...given }, timeoutMs) {
      const delayMs = given.delayMs ?? flowControl?.delayMs ?? 0;
      const dueAt = delayMs > 0 ? { dueAtMs: options.clock.nowMs() + Math.ceil(delayMs / 1000) * 1000 } : {};
      const headers = { [retriesHeader]: String(retries) };
      const task = { to, body: encoder.encode(body), deduplicationId, headers, ...dueAt };
      const { messageId } = await createTask(task, timeoutMs);
      return { messageId };
    },
  };
}
