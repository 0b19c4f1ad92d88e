import type { EnvRecord } from "#platform/env.ts";

import { readOrCreateSecrets } from "./secrets.ts";
import { valueOf } from "./settings.ts";

/** What a client of the embedded QStash needs, as Upstash's console shows it. */
export interface QStashCredentials {
  token: string;
  currentSigningKey: string;
  nextSigningKey: string;
}

/**
 * The credentials of Upstash's development server, which the SDKs use if QSTASH_DEV is true. They are public, so every
 * program that reaches the port can publish. https://upstash.com/docs/qstash/howto/local-development
 */
export const developmentCredentials: QStashCredentials = {
  token: "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=",
  currentSigningKey: "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
  nextSigningKey: "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
};

/** From the environment, else generated at the first start with this data folder, whose lock the caller holds. */
export function readCredentials(env: EnvRecord, dataDir: string): QStashCredentials {
  const secrets = readOrCreateSecrets(dataDir);
  return {
    token: valueOf(env, "QSTASH_TOKEN") ?? secrets.QSTASH_TOKEN,
    currentSigningKey: valueOf(env, "QSTASH_CURRENT_SIGNING_KEY") ?? secrets.QSTASH_CURRENT_SIGNING_KEY,
    nextSigningKey: valueOf(env, "QSTASH_NEXT_SIGNING_KEY") ?? secrets.QSTASH_NEXT_SIGNING_KEY,
  };
}
