/** The plan's limits that the embedded QStash keeps to, where the environment sets them. */
import { defaultLimits, type Limits } from "#broker/limits.ts";
import type { EnvRecord } from "#platform/env.ts";

import { CliFailure } from "#platform/failure.ts";
import { valueOf } from "./settings.ts";

export type BrokerLimits = Pick<Limits, "retriesMax" | "messageBytesMax" | "messagesPerDay" | "requestsPerSecond">;

/** Throws a `CliFailure` for a value that is no number. */
export function readBrokerLimits(env: EnvRecord): BrokerLimits {
  return {
    retriesMax: readCount(env, "QSTASH_LIMIT_RETRIES") ?? defaultLimits.retriesMax,
    messageBytesMax: readCount(env, "QSTASH_LIMIT_MESSAGE_BYTES") ?? defaultLimits.messageBytesMax,
    messagesPerDay: readCount(env, "QSTASH_LIMIT_MESSAGES_PER_DAY"),
    requestsPerSecond: readCount(env, "QSTASH_LIMIT_BURST"),
  };
}

function readCount(env: EnvRecord, name: string): number | null {
  const text = valueOf(env, name);
  if (text === undefined) return null;
  if (!/^[1-9]\d{0,11}$/.test(text)) throw new CliFailure(`${name} must be a whole number above 0, not "${text}".`);
  return Number(text);
}
