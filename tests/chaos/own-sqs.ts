import { systemClock as clock } from "#platform/clock.ts";
import { createSqsApi } from "#queue/sqs/sqs-api.ts";

import { startHttpFaultProxy } from "../support/http-fault-proxy.ts";
import { startSqsServer } from "../queue/sqs/sqs-server.ts";
import type { OwnQueue } from "./own-queue.ts";

const name = "chaos";
const path = `/000000000000/${name}`;
const timeoutMs = 5_000;

export async function openOwnSqs(): Promise<OwnQueue> {
  const server = await startSqsServer();
  server.createQueue(name, {});
  const proxy = await startHttpFaultProxy({ target: server.url });
  const { region, accessKeyId, secretAccessKey } = server.credentials;
  const direct = createSqsApi({ queueUrl: server.url + path, ...server.credentials, fetch, clock });
  return {
    proxy,
    env: {
      SQS_QUEUE_URL: proxy.url + path,
      SQS_REGION: region,
      SQS_ACCESS_KEY_ID: accessKeyId,
      SQS_SECRET_ACCESS_KEY: secretAccessKey,
    },
    async countWaiting() {
      const { text } = await direct("GetQueueAttributes", { AttributeNames: ["All"] }, timeoutMs);
      const { Attributes: counts } = JSON.parse(text) as { Attributes: Record<string, string> };
      const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
      return names.reduce((sum, each) => sum + Number(counts[each]), 0);
    },
    async remove() {
      await proxy.close();
      await server.close();
    },
  };
}
