import { type Clock } from "#platform/clock.ts";
import { ForwardError } from "#platform/forward-error.ts";
import { parseJson } from "#platform/parse-json.ts";
import * as v from "valibot";

import type { SqsApi } from "./sqs-api.ts";
import { sqsRefusal } from "./sqs-refusal.ts";

/** SQS's own. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html */
const countMax = 10;
/** How long the first one waits for others: long beside the time between two messages of one taking, short beside a lease. */
const gatherMs = 50;

interface Waiting {
  receipt: string;
  timeoutMs: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

export interface SqsDeletes {
  /** Resolves once SQS has deleted the message; `timeoutMs` bounds the wait for others too. */
  add(receipt: string, timeoutMs: number): Promise<void>;
}

/** Deletes messages ten in one request, which costs as much as one. */
export function createSqsDeletes(api: SqsApi, clock: Clock): SqsDeletes {
  let waiting: Waiting[] = [];
  let cancel = () => {};

  const flush = () => {
    cancel();
    const batch = waiting;
    waiting = [];
    void deleteAll(batch, api);
  };

  return {
    add: (receipt, timeoutMs) =>
      new Promise((resolve, reject) => {
        waiting.push({ receipt, timeoutMs, resolve, reject });
        if (waiting.length === 1) cancel = clock.after(Math.min(gatherMs, timeoutMs / 2), flush);
        if (waiting.length === countMax) flush();
      }),
  };
}

const answerSchema = v.object({
  Failed: v.optional(v.array(v.object({ Id: v.string(), Code: v.string() })), []),
});

/** Settles each one; never rejects. */
async function deleteAll(batch: readonly Waiting[], api: SqsApi): Promise<void> {
  try {
    const Entries = batch.map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt }));
    const timeoutMs = Math.min(...batch.map((each) => each.timeoutMs)) - gatherMs;
    const answer = await api("DeleteMessageBatch", { Entries }, Math.max(gatherMs, timeoutMs));
    if (answer.status !== 200) throw sqsRefusal(answer);
    const { Failed: failed } = v.parse(answerSchema, parseJson(answer.text));
    for (const [index, { resolve, reject }] of batch.entries()) {
      const code = failed.find(({ Id }) => Id === String(index))?.Code;
      // An old receipt: the message was taken again, or is gone.
      if (code === undefined || code.includes("ReceiptHandleIsInvalid")) resolve();
      else reject(new ForwardError("PUBLISH_REJECTED", `SQS did not delete a message: ${code.slice(0, 80)}`));
    }
  } catch (thrown) {
    for (const { reject } of batch) reject(thrown);
  }
}
