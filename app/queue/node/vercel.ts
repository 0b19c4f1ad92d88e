import { readEnv } from "#platform/env.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";
import { readOidcToken } from "#queue/vercel/oidc-token.ts";
import { createVercelMessagePublisher } from "#queue/vercel/vercel-message-publisher.ts";
import { vercelQueueUrl } from "#queue/vercel/vercel-queue-url.ts";

import { clock } from "../../log.ts";

const variables = ["VERCEL_QUEUE_REGION", "VERCEL_QUEUE_URL", "VERCEL_OIDC_TOKEN", "VERCEL_DEPLOYMENT_ID"] as const;

/** Throws `ENV_INVALID`. */
export function openVercelMessages(): MessagePublisher {
  const env = readEnv(process.env, [...variables, "RELAY_SECRET"]);
  return createVercelMessagePublisher({
    url: vercelQueueUrl(env.VERCEL_QUEUE_REGION, env.VERCEL_QUEUE_URL),
    readToken: () => readOidcToken(env.VERCEL_OIDC_TOKEN),
    deploymentId: env.VERCEL_DEPLOYMENT_ID,
    secret: env.RELAY_SECRET[0],
    fetch,
    clock,
  });
}
