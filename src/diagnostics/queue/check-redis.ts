import { encoder } from "#platform/bytes.ts";
import { readEnv } from "#platform/env.ts";
import { parseJsonObject } from "#platform/parse-json.ts";
import { createRedisPublisher } from "#queue/redis/redis-publisher.ts";
import { createRedisPulledQueue } from "#queue/redis/redis-pulled-queue.ts";
import { createRedisRest, type RedisRest } from "#queue/redis/redis-rest.ts";

import type { Check, Finding } from "../check.ts";
import { judgeRedisInfo } from "./judge-redis-info.ts";
import { type QueueAdvice, runQueueCheck } from "./queue-advice.ts";
import type { CheckQueue } from "./queue-check.ts";

const timeoutMs = 3_000;

/**
 * Redis: a batch's whole way, appended, taken and acknowledged, in a stream beside the relay's that is deleted afterwards;
 * what the server says of its memory; and how much waits.
 */
export const checkRedis: CheckQueue = async ({ env: record, clock, fetch }) => {
  const env = readEnv(record, ["QUEUE_REDIS_REST_URL", "QUEUE_REDIS_REST_TOKEN", "QUEUE_REDIS_STREAM"]);
  const options = { url: env.QUEUE_REDIS_REST_URL, token: env.QUEUE_REDIS_REST_TOKEN, fetch, clock };
  const command = createRedisRest(options);
  const check = (name: string, run: () => Promise<Finding>) => runQueueCheck(name, run, { clock, advice });
  const stream = `${env.QUEUE_REDIS_STREAM}:doctor:${crypto.randomUUID()}`;
  const body = encoder.encode("doctor");
  const publish = await check("Publish", async () => {
    await createRedisPublisher({ ...options, stream }).publish(
      { body, deduplicationId: stream, traceparent: null },
      timeoutMs,
    );
    // If what follows fails or ends half-way, the stream goes by itself.
    await command(["EXPIRE", stream, 60], timeoutMs);
    return { status: "ok", detail: "accepted" };
  });
  if (publish.status !== "ok") return [publish];
  const take = await check("Take", async () => {
    const queue = createRedisPulledQueue({ ...options, stream });
    const [message] = await queue.take(1, timeoutMs, timeoutMs);
    if (message === undefined) return nothingTaken;
    await queue.acknowledge(message, timeoutMs);
    await command(["DEL", stream], timeoutMs);
    return { status: "ok", detail: "taken and acknowledged" };
  });
  const waiting = await check("Waiting batches", async () => {
    const { result } = parseJsonObject((await command(["XLEN", env.QUEUE_REDIS_STREAM], timeoutMs)).text);
    return { status: "ok", detail: typeof result === "number" ? String(result) : "–" };
  });
  return [publish, take, ...(await readInfo(command)), waiting];
};

/** A service may not answer INFO, or leave out what it does not want to tell. */
async function readInfo(command: RedisRest): Promise<Check[]> {
  try {
    const { result } = parseJsonObject((await command(["INFO"], timeoutMs)).text);
    return judgeRedisInfo(typeof result === "string" ? result : "");
  } catch {
    return judgeRedisInfo("");
  }
}

const nothingTaken: Finding = {
  status: "failed",
  detail: "nothing was taken",
  cause: "The entry that was just appended is not in the stream: the server forgets, or another one answers the reads.",
  remedy: "Let QUEUE_REDIS_REST_URL name the primary of a database that keeps what it accepts.",
};

const advice: QueueAdvice = {
  variable: "QUEUE_REDIS_REST_URL",
  byCode: {
    PUBLISH_UNAUTHORIZED: {
      cause: "The token is wrong, was rotated, is the read-only one, or belongs to another database.",
      remedy: "Copy QUEUE_REDIS_REST_URL and QUEUE_REDIS_REST_TOKEN together from the database's page.",
    },
    PUBLISH_OVER_QUOTA: {
      cause: "The memory is full, or a limit of the plan is reached.",
      remedy: "Look whether batches are drained, and choose a larger plan if they are.",
    },
    PUBLISH_INVALID: {
      cause:
        "The key of the stream is in use for something else, or the server lacks a command: streams need version 6.2.",
      remedy: "Set QUEUE_REDIS_STREAM to a key of its own, on a Redis of version 6.2 or newer.",
    },
    PUBLISH_RATE_LIMITED: {
      cause: "More commands were sent in a second than the plan allows.",
      remedy: "Try again in a minute; choose a larger plan if it persists.",
    },
    PUBLISH_UNAVAILABLE: {
      cause: "The database is starting, or has a problem.",
      remedy: "Try again in a minute; meanwhile the relay's fallback keeps the events.",
    },
  },
  otherwise: {
    cause: "The server at QUEUE_REDIS_REST_URL does not answer like Upstash's REST API.",
    remedy: "Copy the REST address from the database's page; an address that begins with redis:// is another protocol.",
  },
};
