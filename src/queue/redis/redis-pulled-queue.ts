import { parseJson } from "#platform/parse-json.ts";
import * as v from "valibot";

import { bodyFromBase64 } from "../base64-body.ts";
import { gather } from "../gather.ts";
import type { PulledMessage, PulledQueue } from "../pulled-queue.ts";
import { createRedisRest, type RedisRestOptions } from "./redis-rest.ts";
import { acknowledge, giveBack, take } from "./redis-scripts.ts";

export interface RedisPulledQueueOptions extends RedisRestOptions {
  stream: string;
}

/** Entries of one answer: with `answerBytesMax` the largest ones fit. */
const takeCountMax = 10;
/** Ten batches in base64, and the JSON around them. */
const answerBytesMax = 16_000_000;

/**
 * A Redis stream as the drain takes from it: a consumer group that is made when it is missing. It holds batches alone. An
 * entry leaves the stream when it is acknowledged, and not before. Rejects with a `ForwardError` if Redis refuses.
 */
export function createRedisPulledQueue({ stream, ...options }: RedisPulledQueueOptions): PulledQueue {
  const command = createRedisRest({ answerBytesMax, ...options });
  const acknowledgeAll = async (messages: readonly PulledMessage[], timeoutMs: number) => {
    const takings = messages.map(({ id, receipt }) => ({ id, taking: Number(receipt) }));
    await command(acknowledge(stream, takings), timeoutMs);
    return new Map<PulledMessage, Error>();
  };
  return {
    async take(countMax, leaseMs, timeoutMs) {
      const answer = await command(take(stream, Math.min(countMax, takeCountMax), leaseMs), timeoutMs);
      const { result } = v.parse(takenSchema, parseJson(answer.text));
      return result.map(toPulled);
    },
    acknowledge: gather(acknowledgeAll, options.clock),
    async giveBack({ id, receipt }, delayMs, timeoutMs, isUncounted = false) {
      await command(giveBack(stream, { id, taking: Number(receipt) }, delayMs, isUncounted), timeoutMs);
    },
  };
}

const takenSchema = v.object({
  result: v.array(v.tuple([v.string(), v.number(), v.string(), v.optional(v.string())])),
});

function toPulled([id, taking, body, traceparent = ""]: v.InferOutput<
  typeof takenSchema
>["result"][number]): PulledMessage {
  return {
    id,
    receipt: String(taking),
    route: "instagram-ingestion",
    body: bodyFromBase64(body),
    retried: taking - 1,
    traceparent: traceparent === "" ? null : traceparent,
  };
}
