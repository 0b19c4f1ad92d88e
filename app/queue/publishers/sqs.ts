import { sqsVariables } from "#platform/queue-env/sqs.ts";
import { createSqsPublisher } from "#queue/sqs/sqs-publisher.ts";
import { createWakeDrain, drainPath } from "#queue/wake-drain.ts";

import type { QueueChoice } from "../queue-publisher.ts";

export const queue: QueueChoice<typeof sqsVariables> = {
  name: "sqs",
  variables: sqsVariables,
  create: (env, readCall) => {
    const call = readCall(drainPath);
    return createSqsPublisher({
      queueUrl: env.SQS_QUEUE_URL,
      region: env.SQS_REGION,
      accessKeyId: env.SQS_ACCESS_KEY_ID,
      secretAccessKey: env.SQS_SECRET_ACCESS_KEY,
      sessionToken: env.SQS_SESSION_TOKEN,
      messageBytesMax: env.SQS_MESSAGE_BYTES_MAX,
      wake: createWakeDrain(call),
      fetch: call.fetch,
      clock: call.clock,
    });
  },
};
