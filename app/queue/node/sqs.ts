import { countOwnTakings } from "#ingestion/drain/count-own-takings.ts";
import { readEnv } from "#platform/env.ts";
import type { PulledQueue } from "#queue/pulled-queue.ts";
import { createSqsPulledQueue } from "#queue/sqs/sqs-pulled-queue.ts";
import { openQueueTakings } from "#store/queue/queue-takings.ts";

import { getDatabase } from "../../database.ts";
import { clock } from "../../log.ts";

/** Throws `ENV_INVALID`. */
export function openSqsQueue(): PulledQueue {
  const env = readEnv(process.env, [
    "SQS_QUEUE_URL",
    "SQS_REGION",
    "SQS_ACCESS_KEY_ID",
    "SQS_SECRET_ACCESS_KEY",
    "SQS_SESSION_TOKEN",
  ]);
  const queue = createSqsPulledQueue({
    queueUrl: env.SQS_QUEUE_URL,
    region: env.SQS_REGION,
    accessKeyId: env.SQS_ACCESS_KEY_ID,
    secretAccessKey: env.SQS_SECRET_ACCESS_KEY,
    sessionToken: env.SQS_SESSION_TOKEN,
    waitSeconds: 1,
    fetch,
    clock,
  });
  return countOwnTakings(queue, openQueueTakings(getDatabase(), "sqs"));
}
