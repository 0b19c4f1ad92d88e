import { encoder } from "#platform/bytes.ts";
import { type Answer, fetchWithin, type Network } from "#platform/bounded-fetch.ts";

import { type AwsCredentials, createAwsSigner } from "./sign-aws-request.ts";

export interface SqsApiOptions extends Network, AwsCredentials {
  /** As SQS shows it. The request goes to the root of its host. */
  queueUrl: string;
}

/**
 * One signed request about the queue: SQS's JSON protocol. Rejects with `TimeoutError` or with what `fetch` rejects with.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
 */
export type SqsApi = (action: string, input: Record<string, unknown>, timeoutMs: number) => Promise<Answer>;

/** Makes no request itself. */
export function createSqsApi({ queueUrl, ...options }: SqsApiOptions): SqsApi {
  const { origin, host } = new URL(queueUrl);
  const sign = createAwsSigner(host, "sqs", options);
  return async (action, input, timeoutMs) => {
    const body = encoder.encode(JSON.stringify({ QueueUrl: queueUrl, ...input }));
    const headers = await sign(
      { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${action}` },
      body,
      options.clock.nowMs(),
    );
    return fetchWithin(timeoutMs, `${origin}/`, { method: "POST", body, headers, cache: "no-store" }, options);
  };
}
