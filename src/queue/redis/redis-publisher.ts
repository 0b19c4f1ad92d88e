import { base64FromBytes } from "#platform/bytes.ts";
import { ForwardError } from "#platform/forward-error.ts";

import type { QueuePublisher } from "../publisher.ts";
import { createRedisRest, type RedisRestOptions } from "./redis-rest.ts";

/** As QStash's: a batch is then a third of a page of answers. Upstash takes requests of 10 MB on its smallest plan. */
export const redisBytesMax = 600_000;

export interface RedisPublisherOptions extends RedisRestOptions, Pick<QueuePublisher, "wake"> {
  stream: string;
}

/**
 * Appends to a Redis stream, which the drain route then takes from. Nothing is trimmed: an entry leaves the stream when it
 * is acknowledged. A batch whose answer was lost is appended twice, and its events are stored once. Its errors are the
 * `PUBLISH_…` codes. Base64, because a JSON answer carries text alone. https://redis.io/docs/latest/commands/xadd/
 */
export function createRedisPublisher({ stream, wake, ...options }: RedisPublisherOptions): QueuePublisher {
  const command = createRedisRest(options);
  return {
    bytesMax: redisBytesMax,
    async publish({ body, traceparent }, timeoutMs) {
      const trace = traceparent === null ? [] : ["traceparent", traceparent];
      const { status, text } = await command(["XADD", stream, "*", "body", base64FromBytes(body), ...trace], timeoutMs);
      const messageId = /"result":\s*"(\d+-\d+)"/.exec(text)?.[1];
      if (messageId === undefined) throw new ForwardError("PUBLISH_UNCONFIRMED", `${status} without an entry's id`);
      return { status, messageId };
    },
    ...(wake === undefined ? {} : { wake }),
  };
}
