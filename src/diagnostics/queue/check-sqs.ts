import type { Network } from "#platform/bounded-fetch.ts";
import { type Env, readEnv } from "#platform/env.ts";
import { parseJsonObject } from "#platform/parse-json.ts";
import { createSqsApi, type SqsApi } from "#queue/sqs/sqs-api.ts";
import { doctorMark } from "#queue/sqs/sqs-pulled-queue.ts";
import { sqsRefusal } from "#queue/sqs/sqs-refusal.ts";

import type { Check, Finding } from "../check.ts";
import { judgeSqsQueue, type SqsAttributes } from "./judge-sqs-queue.ts";
import { type QueueAdvice, runQueueCheck } from "./queue-advice.ts";
import type { CheckQueue } from "./queue-check.ts";

const timeoutMs = 4_000;
/** SQS refuses what is signed by a clock that differs by more than 15 minutes. */
const skewMsMax = 60_000;
const needed = [
  "SQS_QUEUE_URL",
  "SQS_REGION",
  "SQS_ACCESS_KEY_ID",
  "SQS_SECRET_ACCESS_KEY",
  "SQS_SESSION_TOKEN",
  "SQS_MESSAGE_BYTES_MAX",
] as const;

/**
 * SQS: the key and the queue, whether the key may send and delete, and the queue's settings. What it sends is a mark that the
 * drain deletes.
 */
export const checkSqs: CheckQueue = async ({ env: record, clock, fetch }) => {
  const env = readEnv(record, needed);
  const api = openApi(env, { fetch, clock });
  const check = (name: string, run: () => Promise<Finding>) => runQueueCheck(name, run, { clock, advice });
  let attributes: SqsAttributes | null = null;
  let skewMs = 0;
  const queue = await check("Key and queue", async () => {
    const answer = await ask(api, "GetQueueAttributes", { AttributeNames: ["All"] });
    skewMs = clock.nowMs() - (Date.parse(answer.headers.get("date") ?? "") || clock.nowMs());
    attributes = { ...(parseJsonObject(answer.text)["Attributes"] as SqsAttributes | undefined) };
    return { status: "ok", detail: "accepted" };
  });
  if (attributes === null) return [queue];
  const isFifo = env.SQS_QUEUE_URL.endsWith(".fifo");
  const id = isFifo ? crypto.randomUUID() : "";
  const group = isFifo ? { MessageGroupId: id, MessageDeduplicationId: id } : {};
  return [
    queue,
    judgeClock(skewMs),
    await check("Publish", async () => {
      await ask(api, "SendMessage", { MessageBody: doctorMark, ...group });
      return { status: "ok", detail: "accepted" };
    }),
    await check("Delete", async () => {
      await ask(api, "DeleteMessage", { ReceiptHandle: "none" }, /ReceiptHandleIsInvalid|InvalidParameterValue/);
      return { status: "ok", detail: "allowed" };
    }),
    ...judgeSqsQueue(attributes, env.SQS_MESSAGE_BYTES_MAX),
  ];
};

function openApi(env: Pick<Env, (typeof needed)[number]>, network: Network): SqsApi {
  return createSqsApi({
    queueUrl: env.SQS_QUEUE_URL,
    region: env.SQS_REGION,
    accessKeyId: env.SQS_ACCESS_KEY_ID,
    secretAccessKey: env.SQS_SECRET_ACCESS_KEY,
    sessionToken: env.SQS_SESSION_TOKEN,
    ...network,
  });
}

/** The answer to a request that must succeed, or be refused with these words. */
async function ask(api: SqsApi, action: string, input: Record<string, unknown>, allowed?: RegExp) {
  const answer = await api(action, input, timeoutMs);
  if (answer.status !== 200 && !allowed?.test(answer.text)) throw sqsRefusal(answer);
  return answer;
}

function judgeClock(skewMs: number): Check {
  const name = "Clock";
  if (Math.abs(skewMs) <= skewMsMax) return { name, status: "ok", detail: "as SQS's" };
  return {
    name,
    status: "warning",
    detail: `${Math.round(Math.abs(skewMs) / 1_000)} s ${skewMs > 0 ? "ahead of" : "behind"} SQS's`,
    cause: "SQS refuses requests that are signed by a clock that differs by more than 15 minutes.",
    remedy: "Let this machine's clock follow a time server.",
  };
}

const advice: QueueAdvice = {
  variable: "SQS_QUEUE_URL",
  byCode: {
    PUBLISH_UNAUTHORIZED: {
      cause:
        "The key is wrong, deactivated or of another account, its session has expired, its policy lacks this action, the region is another one, or this machine's clock is wrong.",
      remedy:
        "Set SQS_ACCESS_KEY_ID and SQS_SECRET_ACCESS_KEY to a key whose policy allows sqs:SendMessage, sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility and sqs:GetQueueAttributes for the queue. Remove SQS_SESSION_TOKEN unless the key is temporary.",
    },
    PUBLISH_NOT_FOUND: {
      cause: "No queue has this address in this region and account.",
      remedy: "Copy SQS_QUEUE_URL from the queue's page in the AWS console.",
    },
    PUBLISH_RATE_LIMITED: {
      cause: "Too many requests were sent at once, to SQS or to the key that encrypts the queue.",
      remedy: "Try again in a minute.",
    },
    PUBLISH_UNAVAILABLE: {
      cause: "SQS itself has a problem.",
      remedy: "See https://health.aws.amazon.com; meanwhile the relay's fallback keeps the events.",
    },
  },
  otherwise: {
    cause: "The server at SQS_QUEUE_URL does not answer like SQS, or the queue's settings do not allow the request.",
    remedy: "Copy SQS_QUEUE_URL from the queue's page in the AWS console.",
  },
};
