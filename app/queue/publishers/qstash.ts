import { qstashPublisherVariables } from "#platform/queue-env/qstash.ts";
import { createQstashPublisher } from "#queue/qstash/qstash-publisher.ts";

import type { QueueChoice } from "../queue-publisher.ts";

export const queue: QueueChoice<typeof qstashPublisherVariables> = {
  name: "qstash",
  variables: qstashPublisherVariables,
  create: (env, readCall) => {
    const { relayUrl, bypassSecret, fetch, clock } = readCall("");
    return createQstashPublisher({
      url: env.QSTASH_URL,
      token: env.QSTASH_TOKEN,
      destination: `${relayUrl}/api/qstash/instagram-ingestion`,
      failureCallback: `${relayUrl}/api/qstash/instagram-failure`,
      retries: env.QSTASH_RETRIES,
      parallelism: env.INGESTION_PARALLELISM,
      bypassSecret,
      fetch,
      clock,
    });
  },
};
