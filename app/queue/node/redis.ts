import { readEnv } from "#platform/env.ts";
import type { PulledQueue } from "#queue/pulled-queue.ts";
import { createRedisPulledQueue } from "#queue/redis/redis-pulled-queue.ts";

import { clock } from "../../log.ts";

/** Throws `ENV_INVALID`. */
export function openRedisQueue(): PulledQueue {
  const env = readEnv(process.env, ["QUEUE_REDIS_REST_URL", "QUEUE_REDIS_REST_TOKEN", "QUEUE_REDIS_STREAM"]);
  return createRedisPulledQueue({
    url: env.QUEUE_REDIS_REST_URL,
    token: env.QUEUE_REDIS_REST_TOKEN,
    stream: env.QUEUE_REDIS_STREAM,
    fetch,
    clock,
  });
}
