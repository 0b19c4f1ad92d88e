import { parseJsonObject } from "#platform/parse-json.ts";
import * as v from "valibot";

import { bodyFromBase64 } from "../base64-body.ts";
import { gather } from "../gather.ts";
import type { PulledMessage, PulledQueue } from "../pulled-queue.ts";
import { createSqsApi, type SqsApi, type SqsApiOptions } from "./sqs-api.ts";
import { deleteMessages } from "./delete-messages.ts";
import { sqsRefusal } from "./sqs-refusal.ts";

/** SQS's own. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const takeCountMax = 10;
/** From the taking on, however often the time is changed, SQS hides a message for 12 hours. These are some minutes less. */
const hiddenSecondsMax = 43_000;
/** The body of a message that `doctor` sends. It is deleted when it is taken. */
export const doctorMark = "relay doctor";
/** Ten messages of a MiB each, and what SQS says of them. */
const answerBytesMax = 16_000_000;

export interface SqsPulledQueueOptions extends SqsApiOptions {
  /**
   * How long SQS may wait for a first message, in whole seconds. Without waiting it asks only some of its servers, and may
   * find nothing in a queue that has messages.
   * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
   */
  waitSeconds: number;
}

/**
 * An SQS queue as the drain takes from it; it holds batches alone. Taking costs one request for ten messages, and so does
 * acknowledging those that are dealt with at about the same time. Rejects with a `ForwardError` if SQS refuses.
 */
export function createSqsPulledQueue({ waitSeconds, ...options }: SqsPulledQueueOptions): PulledQueue {
  const api = createSqsApi({ answerBytesMax, ...options });
  const acknowledge = gather<string>((receipts, timeoutMs) => deleteMessages(receipts, timeoutMs, api), options.clock);
  return {
    async take(countMax, leaseMs, timeoutMs) {
      const input = {
        MaxNumberOfMessages: Math.min(countMax, takeCountMax),
        VisibilityTimeout: seconds(leaseMs),
        WaitTimeSeconds: Math.min(waitSeconds, Math.floor(timeoutMs / 2_000)),
        MessageSystemAttributeNames: ["ApproximateReceiveCount"],
        MessageAttributeNames: ["traceparent"],
      };
      const { Messages: messages } = v.parse(receivedSchema, await ask(api, "ReceiveMessage", input, timeoutMs));
      for (const { Body, ReceiptHandle } of messages)
        // One that is not deleted comes again.
        if (Body === doctorMark) void acknowledge(ReceiptHandle, timeoutMs).catch(() => {});
      return messages.filter(({ Body }) => Body !== doctorMark).map(toPulled);
    },
    acknowledge: ({ receipt }, timeoutMs) => acknowledge(receipt, timeoutMs),
    async giveBack({ receipt }, delayMs, timeoutMs) {
      const input = { ReceiptHandle: receipt, VisibilityTimeout: seconds(delayMs) };
      const answer = await api("ChangeMessageVisibility", input, timeoutMs);
      // An old receipt: the message was taken again, or is gone.
      if (answer.status !== 200 && !/MessageNotInflight|ReceiptHandleIsInvalid|InvalidParameterValue/.test(answer.text))
        throw sqsRefusal(answer);
    },
  };
}

/** SQS's answer to a request, as JSON. */
async function ask(api: SqsApi, ...request: Parameters<SqsApi>): Promise<Record<string, unknown>> {
  const answer = await api(...request);
  if (answer.status !== 200) throw sqsRefusal(answer);
  return parseJsonObject(answer.text);
}

const receivedSchema = v.object({
  Messages: v.nullish(
    v.array(
      v.object({
        MessageId: v.string(),
        ReceiptHandle: v.string(),
        Body: v.string(),
        Attributes: v.optional(v.object({ ApproximateReceiveCount: v.optional(v.string(), "1") }), {}),
        MessageAttributes: v.nullish(
          v.object({ traceparent: v.optional(v.object({ StringValue: v.optional(v.string()) })) }),
        ),
      }),
    ),
    [],
  ),
});

type Received = v.InferOutput<typeof receivedSchema>["Messages"][number];

function toPulled({ MessageId, ReceiptHandle, Body, Attributes, MessageAttributes }: Received): PulledMessage {
  const count = Number(Attributes.ApproximateReceiveCount);
  return {
    id: MessageId,
    receipt: ReceiptHandle,
    route: "instagram-ingestion",
    body: bodyFromBase64(Body),
    retried: Number.isSafeInteger(count) ? Math.max(0, count - 1) : 0,
    traceparent: MessageAttributes?.traceparent?.StringValue ?? null,
  };
}

function seconds(ms: number): number {
  return Math.min(hiddenSecondsMax, Math.ceil(ms / 1_000));
}
