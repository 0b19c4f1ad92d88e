import { type HttpFaultProxy, startHttpFaultProxy } from "../support/http-fault-proxy.ts";
import { connectToRedis } from "../queue/redis/connect-to-redis.ts";
import { startRedisServer } from "../queue/redis/redis-server.ts";
import { startUpstashRest } from "../queue/redis/upstash-rest.ts";

/** A Redis of the rig's own, spoken to as Upstash's are. */
export interface OwnRedis {
  /** Between the server and Redis: `QUEUE_REDIS_REST_URL`. */
  proxy: HttpFaultProxy;
  env: Record<string, string>;
  /** Batches in the stream. */
  countWaiting(): Promise<number>;
  remove(): Promise<void>;
}

const token = "redis-token";
const stream = "chaos";

export async function openOwnRedis(): Promise<OwnRedis> {
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
