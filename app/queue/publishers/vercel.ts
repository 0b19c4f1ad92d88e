import { vercelPublisherVariables } from "#platform/queue-env/vercel.ts";
import { readOidcToken } from "#queue/vercel/oidc-token.ts";
import { createVercelPublisher } from "#queue/vercel/vercel-publisher.ts";
import { vercelQueueUrl } from "#queue/vercel/vercel-queue-url.ts";

import type { QueueChoice } from "../queue-publisher.ts";

export const queue: QueueChoice<typeof vercelPublisherVariables> = {
  name: "vercel",
  variables: vercelPublisherVariables,
  create: (env, readCall) =>
    createVercelPublisher({
      ...readCall(""),
      url: vercelQueueUrl(env.VERCEL_QUEUE_REGION, env.VERCEL_QUEUE_URL),
      readToken: () => readOidcToken(env.VERCEL_OIDC_TOKEN),
      deploymentId: env.VERCEL_DEPLOYMENT_ID,
    }),
};
