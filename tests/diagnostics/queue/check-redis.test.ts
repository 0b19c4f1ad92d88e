import { beforeAll, describe, expect, test } from "vitest";

import { diagnoseQueue } from "#diagnostics/queue/diagnose-queue.ts";
import { judgeRedisInfo } from "#diagnostics/queue/judge-redis-info.ts";
import { systemClock as clock } from "#platform/clock.ts";

import { hasRedisServer, startRedisServer } from "../../queue/redis/redis-server.ts";
import { connectToRedis, type RespConnection } from "../../queue/redis/connect-to-redis.ts";
import { startUpstashRest } from "../../queue/redis/upstash-rest.ts";
import { fetchBesideDrain, find, goodEnvironment, troubles } from "../environment.ts";

describe.runIf(hasRedisServer)("diagnoseQueue() of Redis", () => {
  let env: Record<string, string>;
  let redis: RespConnection;
  beforeAll(async () => {
    const server = await startRedisServer();
    const rest = await startUpstashRest(server.port, "token-only-here");
    redis = await connectToRedis(server.port);
    // As Upstash's integration of Vercel sets them.
    env = { ...goodEnvironment, KV_REST_API_URL: rest.url, KV_REST_API_TOKEN: "token-only-here" };
    return async () => {
      redis.close();
      await rest.close();
      await server.close();
    };
  });
  const diagnose = (changes: Record<string, string> = {}) =>
    diagnoseQueue({ queue: "redis", env: { ...env, ...changes }, clock, fetch: fetchBesideDrain });

  test("sends a batch on its whole way, leaves nothing behind, and says what a restart would lose", async () => {
    await redis.ask(["XADD", "instagram-webhook-relay", "*", "body", "e30="]);
    const diagnosis = await diagnose();
    expect(troubles(diagnosis)).toEqual(["Persistence: warning no append-only file"]);
    expect(diagnosis.checks.map(({ name }) => name)).toEqual([
      "Settings",
      "Publish",
      "Take",
      "Eviction",
      "Memory",
      "Persistence",
      "Waiting batches",
      "Drain",
    ]);
    expect(find(diagnosis, "Waiting batches").detail).toBe("1");
    expect(await redis.ask(["DBSIZE"])).toBe(1);
  });

  test("explains a wrong token, a full memory and keys that are deleted when it is full", async () => {
    const wrong = find(await diagnose({ KV_REST_API_TOKEN: "another-only-here" }), "Publish");
    expect(wrong).toMatchObject({ status: "failed", detail: "PUBLISH_UNAUTHORIZED" });
    expect(JSON.stringify(wrong)).not.toContain("only-here");

    await redis.ask(["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    expect(find(await diagnose(), "Eviction")).toMatchObject({ status: "failed", detail: "allkeys-lru" });
    await redis.ask(["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    await redis.ask(["CONFIG", "SET", "maxmemory", "1"]);
    expect(find(await diagnose(), "Publish")).toMatchObject({ status: "failed", detail: "PUBLISH_OVER_QUOTA" });
  });

  test("claims nothing of a server that says nothing of itself", () => {
    const statuses = judgeRedisInfo("# Server\r\nupstash_version:1\r\n").map(({ status }) => status);
    expect(statuses).toEqual(["skipped", "skipped", "skipped"]);
  });
});
