import type { QueuePublisher } from "../publisher.ts";
import { createTaskCreator, type TaskCreatorOptions } from "./task-creator.ts";

/**
 * Google's pages name 100 kB and 1 MB for a task; the smaller counts, and the body counts in base64. The rest is for its
 * name, address and headers. docs/QUEUES.md has the sources.
 */
export const cloudTasksBytesMax = 73_000;

/** Publishes each batch as a task that calls our route. */
export function createCloudTasksPublisher(options: TaskCreatorOptions): QueuePublisher {
  const createTask = createTaskCreator(options);
  return {
    bytesMax: cloudTasksBytesMax,
    publish: ({ body, deduplicationId, traceparent }, timeoutMs) => {
      const headers: Record<string, string> = traceparent === null ? {} : { traceparent };
      return createTask({ to: "instagram-ingestion", body, deduplicationId, headers }, timeoutMs);
    },
  };
}
