import { redisVariables } from "#platform/queue-env/redis.ts";
import { createRedisPublisher } from "#queue/redis/redis-publisher.ts";
import { createWakeDrain, drainPath } from "#queue/wake-drain.ts";

import type { QueueChoice } from "../queue-publisher.ts";

export const queue: QueueChoice<typeof redisVariables> = {
  name: "redis",
  variables: redisVariables,
  create: (env, readCall) => {
    const call = readCall(drainPath);
    return createRedisPublisher({
      url: env.QUEUE_REDIS_REST_URL,
      token: env.QUEUE_REDIS_REST_TOKEN,
      stream: env.QUEUE_REDIS_STREAM,
      wake: createWakeDrain(call),
      fetch: call.fetch,
      clock: call.clock,
    });
  },
};
