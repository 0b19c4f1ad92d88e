import type { DrainedQueue } from "#ingestion/drain/drain-messages.ts";
import { readEnv } from "#platform/env.ts";
import { createRedisPulledQueue } from "#queue/redis/redis-pulled-queue.ts";

import { clock } from "../../log.ts";

/** Throws `ENV_INVALID`. */
export function openRedisQueue(): DrainedQueue {
  const env = readEnv(process.env, ["QUEUE_REDIS_REST_URL", "QUEUE_REDIS_REST_TOKEN", "QUEUE_REDIS_STREAM"]);
  const queue = createRedisPulledQueue({
    url: env.QUEUE_REDIS_REST_URL,
    token: env.QUEUE_REDIS_REST_TOKEN,
    stream: env.QUEUE_REDIS_STREAM,
    fetch,
    clock,
  });
  return { name: "redis", queue, batchesOnly: true };
}
