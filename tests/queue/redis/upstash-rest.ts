import { createServer } from "node:http";
import { text } from "node:stream/consumers";

import { listenSwitchably } from "../../support/switchable-listener.ts";
import { connectToRedis, type Reply } from "./connect-to-redis.ts";

export interface UpstashRest {
  /** Without a slash at the end. */
  url: string;
  close: () => Promise<void>;
}

/**
 * A Redis server spoken to as Upstash's databases are: a command is a JSON array, its answer `{"result"}` with 200 or
 * `{"error"}` with 400, and a wrong token 401. One request is one command; there are no pipelines and no transactions.
 * https://upstash.com/docs/redis/features/restapi, read 2026-11
 */
export async function startUpstashRest(redisPort: number, token: string): Promise<UpstashRest> {
  const redis = await connectToRedis(redisPort);
  const server = createServer((request, response) => {
    const send = (status: number, answer: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
    void (async () => {
      const body = await text(request);
      if (request.headers.authorization !== `Bearer ${token}`)
        return send(401, { error: "WRONGPASS invalid or missing auth token" });
      const reply = await redis.ask(JSON.parse(body) as string[]);
      return reply instanceof Error ? send(400, { error: reply.message }) : send(200, { result: toJson(reply) });
    })().catch(() => send(500, { error: "ERR Redis is gone" }));
  });
  const listener = await listenSwitchably(server);
  return {
    url: `http://127.0.0.1:${listener.port}`,
    async close() {
      redis.close();
      await listener.goDown();
    },
  };
}

/** Bytes that are no UTF-8 do not survive it, as they do not at Upstash. */
function toJson(reply: Reply): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString("utf8");
  return Array.isArray(reply) ? reply.map(toJson) : reply;
}
