import { base64FromBytes } from "#platform/bytes.ts";
import { ForwardError } from "#platform/forward-error.ts";

import type { QueuePublisher } from "../publisher.ts";
import { createSqsApi, type SqsApiOptions } from "./sqs-api.ts";
import { sqsRefusal } from "./sqs-refusal.ts";

export interface SqsPublisherOptions extends SqsApiOptions, Pick<QueuePublisher, "wake"> {
  /** The queue's MaximumMessageSize. */
  messageBytesMax: number;
}

/** The name, the type and the value of the trace's attribute. */
const attributeBytes = "traceparent".length + "String".length + 55;

/** The largest batch, which is sent as base64, of a queue with this MaximumMessageSize. */
export function sqsBytesMax(messageBytesMax: number): number {
  return Math.floor((messageBytesMax - attributeBytes) / 4) * 3;
}

/**
 * Publishes to an SQS queue, standard or FIFO, which the drain route then takes from. Its errors are the `PUBLISH_…` codes.
 *
 * SQS takes text of XML's characters, and replaces or refuses all others; its own pages say both. A batch is therefore sent
 * as base64, a third larger: its bytes come back as they are, whatever Meta sent.
 * The trace is an attribute, which counts in the message's size.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function createSqsPublisher({ messageBytesMax, wake, ...options }: SqsPublisherOptions): QueuePublisher {
  const call = createSqsApi(options);
  const isFifo = options.queueUrl.endsWith(".fifo");
  return {
    bytesMax: sqsBytesMax(messageBytesMax),
    async publish({ body, deduplicationId, traceparent }, timeoutMs) {
      const answer = await call(
        "SendMessage",
        {
          MessageBody: base64FromBytes(body),
          ...(traceparent === null
            ? {}
            : { MessageAttributes: { traceparent: { DataType: "String", StringValue: traceparent } } }),
          // Each batch is a group of its own: the relay needs no order, and within a group one stuck batch stops all others.
          ...(isFifo ? { MessageGroupId: deduplicationId, MessageDeduplicationId: deduplicationId } : {}),
        },
        timeoutMs,
      );
      const { status, text } = answer;
      // A redirect that is not followed has the status 0 where fetch keeps to its specification.
      if (status !== 200) throw sqsRefusal(answer);
      const messageId = /"MessageId":\s*"([\w-]+)"/.exec(text)?.[1];
      if (messageId === undefined) throw new ForwardError("PUBLISH_UNCONFIRMED", `${status} without a message's id`);
      return { status, messageId };
    },
    ...(wake === undefined ? {} : { wake }),
  };
}
