import { ForwardError } from "#platform/forward-error.ts";
import { parseJson } from "#platform/parse-json.ts";
import * as v from "valibot";

import type { SqsApi } from "./sqs-api.ts";
import { sqsRefusal } from "./sqs-refusal.ts";

const answerSchema = v.object({
  Failed: v.nullish(v.array(v.object({ Id: v.string(), Code: v.string() })), []),
});

/**
 * Deletes up to ten messages by their receipts, and resolves with the error of each that was not deleted. Rejects if SQS
 * refuses. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html
 */
export async function deleteMessages(
  receipts: readonly string[],
  timeoutMs: number,
  api: SqsApi,
): Promise<ReadonlyMap<string, Error>> {
  const Entries = receipts.map((receipt, index) => ({ Id: String(index), ReceiptHandle: receipt }));
  const answer = await api("DeleteMessageBatch", { Entries }, timeoutMs);
  if (answer.status !== 200) throw sqsRefusal(answer);
  const errors = new Map<string, Error>();
  for (const { Id, Code } of v.parse(answerSchema, parseJson(answer.text)).Failed) {
    const receipt = receipts[Number(Id)];
    // An old receipt: the message was taken again, or is gone.
    if (receipt === undefined || Code.includes("ReceiptHandleIsInvalid")) continue;
    errors.set(receipt, new ForwardError("PUBLISH_REJECTED", `SQS did not delete a message: ${Code.slice(0, 80)}`));
  }
  return errors;
}
