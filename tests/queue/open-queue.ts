// The queues that are drained, as a process of a test opens them: by name and settings that can be written down.
import type { DrainedQueue } from "#ingestion/drain/drain-messages.ts";
import { createPostgresQueue } from "#ingestion/drain/postgres-queue.ts";
import { systemClock as clock } from "#platform/clock.ts";
import type { Database } from "#store/database.ts";

export interface QueueSettings {
  name: "postgres";
  /** What its adapter needs. */
  options?: Record<string, string>;
}

export function openQueue({ name }: QueueSettings, db: Database): DrainedQueue {
  const open = { postgres: () => createPostgresQueue({ db, clock }) };
  return { name, queue: open[name](), batchesOnly: name !== "postgres" };
}
