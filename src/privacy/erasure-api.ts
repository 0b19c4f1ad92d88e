import type { Network } from "#platform/bounded-fetch.ts";
import { type EnvRecord, readEnv } from "#platform/env.ts";
import { RelayError } from "#platform/errors.ts";
import { createQstashApi, type QstashApi } from "#platform/qstash-api.ts";

import { queueAnswerBytesMax } from "./redact-queue-letters.ts";

const timeoutMs = 5_000;

/**
 * QStash's API for erasing its dead letters, whose pages are large; null if its variables are missing or malformed: then
 * our own tables can be erased all the same.
 */
export function createErasureApi(record: EnvRecord, network: Network): QstashApi | null {
  try {
    const { QSTASH_URL: url, QSTASH_TOKEN: token } = readEnv(record, ["QSTASH_URL", "QSTASH_TOKEN"]);
    return createQstashApi({ url, token, timeoutMs, answerBytesMax: queueAnswerBytesMax, ...network });
  } catch (thrown) {
    if (thrown instanceof RelayError && thrown.code === "ENV_INVALID") return null;
    throw thrown;
  }
}
