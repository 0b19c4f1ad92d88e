// The queues that are drained, as a process of a test opens them: by name and settings that can be written down.
import type { DrainedQueue } from "#ingestion/drain/drain-messages.ts";
import { createPostgresQueue } from "#ingestion/drain/postgres-queue.ts";
import { systemClock as clock } from "#platform/clock.ts";
import type { PulledQueue } from "#queue/pulled-queue.ts";
import { createRedisPulledQueue, type RedisPulledQueueOptions } from "#queue/redis/redis-pulled-queue.ts";
import { createSqsPulledQueue, type SqsPulledQueueOptions } from "#queue/sqs/sqs-pulled-queue.ts";
import type { Database } from "#store/connection/database.ts";

/** What its adapter needs, beside the network. */
export type QueueSettings =
  | { name: "postgres" }
  | { name: "sqs"; options: Omit<SqsPulledQueueOptions, "fetch" | "clock"> }
  | { name: "redis"; options: Omit<RedisPulledQueueOptions, "fetch" | "clock"> };

export function openQueue(settings: QueueSettings, db: Database): DrainedQueue {
  return { name: settings.name, queue: openPulled(settings, db), batchesOnly: settings.name !== "postgres" };
}

function openPulled(settings: QueueSettings, db: Database): PulledQueue {
  if (settings.name === "sqs") return createSqsPulledQueue({ ...settings.options, fetch, clock });
  if (settings.name === "redis") return createRedisPulledQueue({ ...settings.options, fetch, clock });
  return createPostgresQueue({ db, clock });
}
