/** Token and signing keys of an embedded QStash that is started by itself. */
import type { EnvRecord } from "#platform/env.ts";

import { readOrCreateSecrets } from "./secrets.ts";
import { valueOf } from "./settings.ts";

export interface QStashCredentials {
  token: string;
  currentSigningKey: string;
  nextSigningKey: string;
}

/**
 * Those of Upstash's development server, from its page on local development: its SDKs use them where QSTASH_DEV is true.
 * They are public: any client that reaches the port may publish.
 */
export const developmentCredentials: QStashCredentials = {
  token: "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=",
  currentSigningKey: "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
  nextSigningKey: "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
};

/** What the environment gives, else what was generated for this data folder at its first start. */
export function readCredentials(env: EnvRecord, dataDir: string): QStashCredentials {
  const secrets = readOrCreateSecrets(dataDir);
  return {
    token: valueOf(env, "QSTASH_TOKEN") ?? secrets.QSTASH_TOKEN,
    currentSigningKey: valueOf(env, "QSTASH_CURRENT_SIGNING_KEY") ?? secrets.QSTASH_CURRENT_SIGNING_KEY,
    nextSigningKey: valueOf(env, "QSTASH_NEXT_SIGNING_KEY") ?? secrets.QSTASH_NEXT_SIGNING_KEY,
  };
}
