import type { EnqueuedBatch } from "#ingestion/answer-enqueue.ts";
import { createPostgresQueue, createTableMessages, type PostgresQueue } from "#ingestion/drain/postgres-queue.ts";
import { createDrainPause } from "#operations/drain-pause.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";
import type { QueuePause } from "#queue/queue-pause.ts";
import { enqueueMessage } from "#store/queue/queue-messages.ts";
import { waitUntil } from "@vercel/functions";

import { getDatabase } from "../../database.ts";
import { clock } from "../../log.ts";

/** The table of messages, for whichever queue: it has the relay's own, too. Throws `ENV_INVALID`. */
export function openPostgresQueue(): PostgresQueue {
  return createPostgresQueue({ db: getDatabase(), clock });
}

/** Drains after the answer. Loaded when it is called: the drain's handlers publish messages themselves. */
export function wakeDrain(): void {
  waitUntil(import("../drain.ts").then((drain) => drain.wakeDrain()));
}

/** The relay's own messages, for queues that are drained. Throws `ENV_INVALID`. */
export function openTableMessages(): MessagePublisher {
  return createTableMessages({ db: getDatabase(), clock, wake: wakeDrain });
}

/** Of a queue that is drained. `inStore`: whether its batches lie in Postgres. Throws `ENV_INVALID`. */
export function openDrainPause(inStore: boolean): QueuePause {
  return createDrainPause({ db: getDatabase(), inStore, wake: wakeDrain });
}

/** Commits a batch. Throws `ENV_INVALID` and `STORE_UNAVAILABLE`. */
export async function enqueueBatch(batch: EnqueuedBatch): Promise<string> {
  return enqueueMessage(getDatabase(), { ...batch, route: "instagram-ingestion", delayMs: 0, label: "instagram" });
}
