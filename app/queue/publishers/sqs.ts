import { sqsVariables } from "#platform/queue-env/sqs.ts";
import { createSqsPublisher } from "#queue/sqs/sqs-publisher.ts";

import type { QueueChoice } from "../queue-publisher.ts";

export const queue: QueueChoice<typeof sqsVariables> = {
  name: "sqs",
  variables: sqsVariables,
  create: (env, readCall) => {
    const { fetch, clock } = readCall("");
    return createSqsPublisher({
      queueUrl: env.SQS_QUEUE_URL,
      region: env.SQS_REGION,
      accessKeyId: env.SQS_ACCESS_KEY_ID,
      secretAccessKey: env.SQS_SECRET_ACCESS_KEY,
      sessionToken: env.SQS_SESSION_TOKEN,
      messageBytesMax: env.SQS_MESSAGE_BYTES_MAX,
      fetch,
      clock,
    });
  },
};
