import { readEnv } from "#platform/env.ts";
import { createQstashApi, type QstashApi } from "#platform/qstash-api.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";
import { createQstashPause } from "#queue/qstash/qstash-pause.ts";
import type { QueuePause } from "#queue/queue-pause.ts";
import { createQstashMessagePublisher } from "#queue/qstash/qstash-message-publisher.ts";

import { clock } from "../../log.ts";

/** Throws `ENV_INVALID`. */
export function openQstashMessages(): MessagePublisher {
  const env = readEnv(process.env, ["QSTASH_URL", "QSTASH_TOKEN", "RELAY_URL", "VERCEL_AUTOMATION_BYPASS_SECRET"]);
  return createQstashMessagePublisher({
    qstashUrl: env.QSTASH_URL,
    token: env.QSTASH_TOKEN,
    relayUrl: env.RELAY_URL[0],
    bypassSecret: env.VERCEL_AUTOMATION_BYPASS_SECRET,
    fetch,
    clock,
  });
}

/** A page of dead letters has 20 messages with their bodies. */
const answerBytesMax = 40_000_000;

/** Throws `ENV_INVALID`. */
export function openQstashApi(): QstashApi {
  const { QSTASH_URL: url, QSTASH_TOKEN: token } = readEnv(process.env, ["QSTASH_URL", "QSTASH_TOKEN"]);
  return createQstashApi({ url, token, timeoutMs: 8_000, fetch, clock, answerBytesMax });
}

/** Throws `ENV_INVALID`. */
export function openQstashPause(): QueuePause {
  const { INGESTION_PARALLELISM: parallelism } = readEnv(process.env, ["INGESTION_PARALLELISM"]);
  return createQstashPause(openQstashApi(), parallelism);
}
