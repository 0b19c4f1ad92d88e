import type { EnvRecord } from "#platform/env.ts";
import { toRelayError } from "#platform/errors.ts";
import { describeCause, type Log } from "#platform/log.ts";
import type { PulledQueue } from "#queue/pulled-queue.ts";

import type { DrainedQueue } from "./drain-messages.ts";

/** By whose address a queue is known to be set up: any of these is enough. The table needs none of its own. */
const addresses = {
  postgres: ["DATABASE_URL"],
  sqs: ["SQS_QUEUE_URL"],
  // Integrations set the other two. Of a database without our stream taking asks once, and leaves nothing in it.
  redis: ["QUEUE_REDIS_REST_URL", "UPSTASH_REDIS_REST_URL", "KV_REST_API_URL"],
} as const;

/**
 * The queues whose address is set, whichever QUEUE names: messages may be left in one after a switch to another. One that
 * cannot be opened is logged and left out, so that its variables hold back no other queue's messages.
 */
export function presentQueues(
  record: EnvRecord,
  open: Readonly<Record<keyof typeof addresses, () => PulledQueue>>,
  log: Log,
): DrainedQueue[] {
  return (Object.keys(addresses) as (keyof typeof addresses)[])
    .filter((name) => addresses[name].some((variable) => record[variable]?.trim()))
    .flatMap((name) => {
      try {
        return [{ name, queue: open[name](), batchesOnly: name !== "postgres" }];
      } catch (thrown) {
        const { code, message } = toRelayError(thrown);
        log.error("drain.queue_failed", { queue: name, code, reason: message, ...describeCause(thrown) });
        return [];
      }
    });
}
