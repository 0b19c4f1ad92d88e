import { redisVariables } from "#platform/queue-env/redis.ts";
import { createRedisPublisher } from "#queue/redis/redis-publisher.ts";

import type { QueueChoice } from "../queue-publisher.ts";

export const queue: QueueChoice<typeof redisVariables> = {
  name: "redis",
  variables: redisVariables,
  create: (env, readCall) => {
    const { fetch, clock } = readCall("");
    return createRedisPublisher({
      url: env.QUEUE_REDIS_REST_URL,
      token: env.QUEUE_REDIS_REST_TOKEN,
      stream: env.QUEUE_REDIS_STREAM,
      fetch,
      clock,
    });
  },
};
