import { type EnvRecord, readEnv } from "#platform/env.ts";
import { RelayError } from "#platform/errors.ts";

import type { VercelQueue } from "./answer-vercel.ts";
import { readOidcToken } from "./oidc-token.ts";
import { vercelQueueUrl } from "./vercel-queue-url.ts";

const variables = [
  "VERCEL_QUEUE_REGION",
  "VERCEL_QUEUE_URL",
  "VERCEL_OIDC_TOKEN",
  "VERCEL_DEPLOYMENT_ID",
  "RELAY_SECRET",
  "DATABASE_URL",
] as const;

/** How to answer a delivery; throws `ENV_INVALID` naming every variable that is missing, and without an OIDC token. */
export function readVercelQueue(record: EnvRecord): VercelQueue {
  const env = readEnv(record, variables);
  return {
    urlOf: (region) => vercelQueueUrl(region, env.VERCEL_QUEUE_URL),
    region: env.VERCEL_QUEUE_REGION,
    token: requireToken(env.VERCEL_OIDC_TOKEN),
    deploymentId: env.VERCEL_DEPLOYMENT_ID,
    secrets: env.RELAY_SECRET,
  };
}

function requireToken(fromEnv: string | null): string {
  try {
    return readOidcToken(fromEnv);
  } catch (cause) {
    const message = "Configuration is incomplete: the deployment has no OIDC token, VERCEL_OIDC_TOKEN is not set";
    throw new RelayError("ENV_INVALID", message, { cause });
  }
}
