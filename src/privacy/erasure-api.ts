import type { Network } from "#platform/bounded-fetch.ts";
import { type EnvRecord, readEnv } from "#platform/env.ts";
import { RelayError } from "#platform/errors.ts";
import { createQstashApi, type QstashApi } from "#platform/qstash-api.ts";

import { ifQstashIsUsed } from "#queue/qstash/qstash-in-use.ts";
import type { QueueName } from "#platform/queue-name.ts";

import { queueAnswerBytesMax } from "./redact-queue-letters.ts";

const timeoutMs = 5_000;

/** `unused`: QStash has nothing of ours. Null if it cannot be asked, because its variables are missing or malformed. */
export type ErasureApi = QstashApi | "unused" | null;

/**
 * QStash's API for erasing its dead letters, whose pages are large. Without it our own tables can be erased all
 * the same: another queue hands on what it has, and an erased person's events are stored without their data.
 */
export function createErasureApi(record: EnvRecord, queue: QueueName, network: Network): ErasureApi {
  try {
    if (ifQstashIsUsed(record, queue, () => true) === null) return "unused";
    const { QSTASH_URL: url, QSTASH_TOKEN: token } = readEnv(record, ["QSTASH_URL", "QSTASH_TOKEN"]);
    return createQstashApi({ url, token, timeoutMs, answerBytesMax: queueAnswerBytesMax, ...network });
  } catch (thrown) {
    if (thrown instanceof RelayError && thrown.code === "ENV_INVALID") return null;
    throw thrown;
  }
}
