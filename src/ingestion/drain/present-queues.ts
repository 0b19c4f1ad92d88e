import type { EnvRecord } from "#platform/env.ts";
import type { PulledQueue } from "#queue/pulled-queue.ts";

import type { DrainedQueue } from "./drain-messages.ts";

/** By whose address a queue is known to be set up; the table needs none. */
const addresses = { postgres: "DATABASE_URL", sqs: "SQS_QUEUE_URL", redis: "QUEUE_REDIS_REST_URL" } as const;

/**
 * The queues whose address is set, whichever QUEUE names: messages may be left in one after a switch to another. Each
 * function throws `ENV_INVALID`.
 */
export function presentQueues(
  record: EnvRecord,
  open: Readonly<Record<keyof typeof addresses, () => PulledQueue>>,
): DrainedQueue[] {
  return (Object.keys(addresses) as (keyof typeof addresses)[])
    .filter((name) => record[addresses[name]]?.trim())
    .map((name) => ({ name, queue: open[name](), batchesOnly: name !== "postgres" }));
}
