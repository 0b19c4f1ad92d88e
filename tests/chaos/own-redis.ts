import { startHttpFaultProxy } from "../support/http-fault-proxy.ts";
import { connectToRedis } from "../queue/redis/connect-to-redis.ts";
import { startRedisServer } from "../queue/redis/redis-server.ts";
import { startUpstashRest } from "../queue/redis/upstash-rest.ts";
import type { OwnQueue } from "./own-queue.ts";

const token = "redis-token";
const stream = "chaos";

/** A Redis that is spoken to as Upstash's are. */
export async function openOwnRedis(): Promise<OwnQueue> {
  const server = await startRedisServer();
  const rest = await startUpstashRest(server.port, token);
  const proxy = await startHttpFaultProxy({ target: rest.url });
  const direct = await connectToRedis(server.port);
  return {
    proxy,
    env: { QUEUE_REDIS_REST_URL: proxy.url, QUEUE_REDIS_REST_TOKEN: token, QUEUE_REDIS_STREAM: stream },
    countWaiting: async () => Number(await direct.ask(["XLEN", stream])),
    async remove() {
      direct.close();
      await proxy.close();
      await rest.close();
      await server.close();
    },
  };
}
