import { type EnvRecord, readEnv } from "#platform/env.ts";
import type { QstashDeliveryOptions } from "#queue/qstash/verify-delivery.ts";

const variables = ["QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY", "RELAY_URL", "DATABASE_URL"] as const;

/** How to verify a delivery to the route at this path; throws `ENV_INVALID` naming every variable that is missing. */
export function readQstashDelivery(record: EnvRecord, path: string): QstashDeliveryOptions {
  const env = readEnv(record, variables);
  return {
    currentSigningKey: env.QSTASH_CURRENT_SIGNING_KEY,
    nextSigningKey: env.QSTASH_NEXT_SIGNING_KEY,
    urls: env.RELAY_URL.map((url) => `${url}${path}`),
  };
}
