import type { DrainedQueue } from "#ingestion/drain/drain-messages.ts";
import { createPostgresQueue, createTableMessages } from "#ingestion/drain/postgres-queue.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";
import { enqueueMessage } from "#store/queue-messages.ts";
import { waitUntil } from "@vercel/functions";

import { getDatabase } from "../../database.ts";
import { clock } from "../../log.ts";

/** The table of messages, for whichever queue: it has the relay's own, too. Throws `ENV_INVALID`. */
export function openPostgresQueue(): DrainedQueue {
  return { name: "postgres", queue: createPostgresQueue({ db: getDatabase(), clock }), batchesOnly: false };
}

/** Loaded when it is called: the drain's handlers publish messages themselves. */
const wakeDrain = async () => (await import("../drain.ts")).wakeDrain();

/** The relay's own messages, for queues that are drained. Throws `ENV_INVALID`. */
export function openTableMessages(): MessagePublisher {
  return createTableMessages({ db: getDatabase(), clock, wake: () => waitUntil(wakeDrain()) });
}

/** Commits a batch. Throws `ENV_INVALID` and `STORE_UNAVAILABLE`. */
export async function enqueueBatch(body: Uint8Array, deduplicationId: string | null): Promise<string> {
  const batch = { route: "instagram-ingestion", body, delayMs: 0, deduplicationId, label: "instagram" };
  return enqueueMessage(getDatabase(), batch);
}
