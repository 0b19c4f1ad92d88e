import { beforeAll, describe, expect, test } from "vitest";

import { systemClock as clock } from "#platform/clock.ts";
import type { PulledMessage } from "#queue/pulled-queue.ts";
import { createRedisPublisher } from "#queue/redis/redis-publisher.ts";
import { createRedisPulledQueue } from "#queue/redis/redis-pulled-queue.ts";

import { startHttpFaultProxy } from "../../support/http-fault-proxy.ts";
import { jsonOf, nameOf } from "../contract-bodies.ts";
import { testDrain } from "../drain-contract.ts";
import { testPublisher } from "../publisher-contract.ts";
import { testPulledQueue } from "../pulled-contract.ts";
import { hasRedisServer, startRedisServer } from "./redis-server.ts";
import { connectToRedis } from "./connect-to-redis.ts";
import { startUpstashRest } from "./upstash-rest.ts";

const timeoutMs = 5_000;
const token = "token";
const stream = "batches";

/** A stream on a Redis of its own, behind a proxy that can fail. */
async function openStream() {
  const server = await startRedisServer();
  const rest = await startUpstashRest(server.port, token);
  const proxy = await startHttpFaultProxy({ target: rest.url });
  const direct = await connectToRedis(server.port);
  const options = { url: proxy.url, token, stream, fetch, clock };
  return {
    proxy,
    ask: direct.ask,
    publisher: (other: Partial<typeof options> = {}) => createRedisPublisher({ ...options, ...other }),
    queue: () => createRedisPulledQueue(options),
    async close() {
      direct.close();
      await proxy.close();
      await rest.close();
      await server.close();
    },
  };
}

const toPublish = (body: Uint8Array<ArrayBuffer>) => ({ body, deduplicationId: "any", traceparent: null });

describe.runIf(hasRedisServer)("on Debian's Redis", () => {
  testPublisher("Redis", async () => {
    const { publisher, queue, proxy, close } = await openStream();
    const delivered: Uint8Array[] = [];
    return {
      publisher: publisher(),
      strangers: { wrong: publisher({ token: "another" }) },
      proxy,
      throttled: () => ({ answer: { status: 429, headers: { "retry-after": "30" } }, retryAfterMs: 30_000 }),
      async readDelivered() {
        const source = queue();
        for (;;) {
          const taken = await source.take(10, 60_000, timeoutMs);
          if (taken.length === 0) return delivered;
          delivered.push(...taken.map(({ body }) => body));
          for (const message of taken) await source.acknowledge(message, timeoutMs);
        }
      },
      close,
    };
  });

  testPulledQueue("Redis", async () => {
    const { publisher, queue, proxy, close } = await openStream();
    const { publish, bytesMax } = publisher();
    return {
      queue: queue(),
      other: queue(),
      publish: (body, traceparent = null) => publish({ ...toPublish(body), traceparent }, timeoutMs),
      bytesMax,
      goDown: proxy.goDown,
      comeUp: proxy.comeUp,
      uncounts: true,
      close,
    };
  });

  testDrain("Redis", async () => {
    const { publisher, proxy, close } = await openStream();
    return { publisher: publisher(), settings: { name: "redis", options: { url: proxy.url, token, stream } }, close };
  });

  describe("a stream", () => {
    let rig: Awaited<ReturnType<typeof openStream>>;
    beforeAll(async () => {
      rig = await openStream();
      return rig.close;
    });
    const lengths = async () => {
      const [length, pending] = [await rig.ask(["XLEN", stream]), await rig.ask(["XPENDING", stream, "relay"])];
      return { length, pending: Array.isArray(pending) ? pending[0] : pending };
    };
    const publishMany = async (count: number) => {
      for (let index = 0; index < count; index += 1)
        await rig.publisher().publish(toPublish(jsonOf(100, `many ${index}`)), timeoutMs);
    };
    const acknowledgeAll = async (until: () => boolean) => {
      const queue = rig.queue();
      while (!until()) {
        const taken = await queue.take(10, 60_000, timeoutMs);
        for (const message of taken) await queue.acknowledge(message, timeoutMs);
        if (taken.length === 0) return;
      }
    };

    test("holds an entry until it is acknowledged, and nothing after that", async () => {
      await publishMany(25);
      const taken = await rig.queue().take(50, 60_000, timeoutMs);
      expect(taken).toHaveLength(10);
      expect(await lengths()).toEqual({ length: 25, pending: 10 });
      for (const message of taken) await rig.queue().acknowledge(message, timeoutMs);
      await acknowledgeAll(() => false);
      expect(await lengths()).toEqual({ length: 0, pending: 0 });
    });

    test("gives what is due however many others wait for their time, each after a delay of its own", async () => {
      await publishMany(60);
      const queue = rig.queue();
      let held: PulledMessage | undefined;
      for (let round = 0; round < 6; round += 1)
        for (const message of await queue.take(10, 60_000, timeoutMs)) {
          await queue.giveBack(message, 3_600_000, timeoutMs);
          held = message;
        }
      // A receipt is worth nothing once its message is given back, also before someone takes it again.
      if (held !== undefined) await queue.acknowledge(held, timeoutMs);
      expect(await lengths()).toEqual({ length: 60, pending: 60 });
      const last = jsonOf(100, "the only one that is due");
      await rig.publisher().publish(toPublish(last), timeoutMs);
      const [first, ...others] = await queue.take(10, 60_000, timeoutMs);
      expect(others).toEqual([]);
      if (first === undefined) throw new Error("nothing was taken");
      await queue.giveBack(first, 0, timeoutMs);
      const again = await queue.take(10, 60_000, timeoutMs);
      expect(again.map(({ body, retried }) => [nameOf(body), retried])).toEqual([[nameOf(last), 1]]);
      // Given back is given back: the receipt no longer holds the entry, whatever is asked with it.
      await queue.acknowledge(first, timeoutMs);
      expect(await lengths()).toEqual({ length: 61, pending: 61 });
      await rig.ask(["DEL", stream]);
    });

    test("an entry that someone deleted, or put there in another form, stops nothing", async () => {
      await publishMany(2);
      const [first] = await rig.queue().take(1, 1, timeoutMs);
      await rig.ask(["XDEL", stream, first?.id ?? ""]);
      await rig.ask(["XADD", stream, "*", "field", "not ours: é", "more", "x"]);
      const bodies: string[] = [];
      const queue = rig.queue();
      const taken = await queue.take(10, 60_000, timeoutMs);
      bodies.push(...taken.map(({ body }) => new TextDecoder().decode(body)));
      expect(bodies).toEqual([new TextDecoder().decode(jsonOf(100, "many 1")), "not ours: é"]);
      await rig.ask(["DEL", stream]);
    });
  });

  describe("Redis's refusals", () => {
    let rig: Awaited<ReturnType<typeof openStream>>;
    beforeAll(async () => {
      rig = await openStream();
      return rig.close;
    });
    const refusal = async (settings: readonly (readonly string[])[]): Promise<unknown> => {
      for (const setting of settings) await rig.ask(setting);
      return rig
        .publisher()
        .publish(toPublish(jsonOf(100, "refused")), timeoutMs)
        .catch((thrown: unknown) => thrown);
    };

    test("a full memory is PUBLISH_OVER_QUOTA, a key of another kind PUBLISH_INVALID, one that loads UNAVAILABLE", async () => {
      expect(await refusal([["CONFIG", "SET", "maxmemory", "1"]])).toMatchObject({
        code: "PUBLISH_OVER_QUOTA",
        message: "Redis answered 400 OOM",
      });
      const other = [
        ["CONFIG", "SET", "maxmemory", "0"],
        ["SET", stream, "text"],
      ];
      expect(await refusal(other)).toMatchObject({ code: "PUBLISH_INVALID", message: "Redis answered 400 WRONGTYPE" });
      const words = (error: string) => ({ forwards: false, instead: { status: 400, body: Buffer.from(error) } });
      const quota = '{"error":"ERR max requests limit exceeded. Limit: 500000, Usage: 500000."}';
      rig.proxy.setFault(() => words(quota));
      expect(await refusal([])).toMatchObject({ code: "PUBLISH_OVER_QUOTA" });
      rig.proxy.setFault(() => words('{"error":"NOPERM this user has no permissions to run the \'xadd\' command"}'));
      expect(await refusal([])).toMatchObject({ code: "PUBLISH_UNAUTHORIZED" });
      rig.proxy.setFault(() => words('{"error":"LOADING Redis is loading the dataset in memory"}'));
      expect(await refusal([])).toMatchObject({ code: "PUBLISH_UNAVAILABLE" });
    });
  });
});
