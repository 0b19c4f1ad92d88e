/** The limits of the plan that the embedded QStash applies, where the environment sets them. */
import { defaultLimits, type Limits } from "#broker/limits.ts";
import { type EnvRecord, readEnv } from "#platform/env.ts";
import { CliFailure } from "#platform/failure.ts";

import { valueOf } from "./settings.ts";

export type BrokerLimits = Pick<Limits, "retriesMax" | "messageBytesMax" | "messagesPerDay" | "requestsPerSecond">;

/** Throws a `CliFailure` for a value that is not a whole number above 0. */
export function readBrokerLimits(env: EnvRecord): BrokerLimits {
  return {
    retriesMax: readCount(env, "QSTASH_LIMIT_RETRIES") ?? defaultLimits.retriesMax,
    messageBytesMax: readCount(env, "QSTASH_LIMIT_MESSAGE_BYTES") ?? defaultLimits.messageBytesMax,
    messagesPerDay: readCount(env, "QSTASH_LIMIT_MESSAGES_PER_DAY"),
    requestsPerSecond: readCount(env, "QSTASH_LIMIT_BURST"),
  };
}

/**
 * Throws a `CliFailure` if the relay would ask for more retries than the embedded QStash allows: QStash refuses each such
 * publish with 412, so that every delivery would take the fallback. The limit is not raised silently, because on Upstash
 * only a larger plan allows more. `env` must be one that `readEnv` accepts.
 */
export function requireRetriesWithinLimit(env: EnvRecord): void {
  const { QSTASH_RETRIES: retries } = readEnv(env, ["QSTASH_RETRIES"]);
  const { retriesMax } = readBrokerLimits(env);
  if (retries <= retriesMax) return;
  throw new CliFailure(
    `QSTASH_RETRIES is ${retries}, and QStash on this machine allows ${retriesMax} as Upstash's smallest plan does: lower it, or set QSTASH_LIMIT_RETRIES to what your plan allows.`,
  );
}

function readCount(env: EnvRecord, name: string): number | null {
  const text = valueOf(env, name);
  if (text === undefined) return null;
  if (!/^[1-9]\d{0,11}$/.test(text)) throw new CliFailure(`${name} must be a whole number above 0, not "${text}".`);
  return Number(text);
}
