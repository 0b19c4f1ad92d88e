// What QStash's routes share.
import { nodeDigests } from "#ingestion/node-digests.ts";
import { readQstashDelivery } from "#ingestion/read-qstash-delivery.ts";
import type { AnswerQueueCall } from "#queue/queue-call.ts";
import { createAnswerQstash } from "#queue/qstash/answer-qstash.ts";
import type { QstashDeliveryOptions } from "#queue/qstash/verify-delivery.ts";

import { clock, log } from "../../log.ts";

/** For the route at this path, which accepts only what was signed for its own address. */
export function answerQstashAt(path: string): AnswerQueueCall {
  let options: QstashDeliveryOptions | undefined;
  return createAnswerQstash({
    clock,
    log,
    digests: nodeDigests,
    readQstash: () => (options ??= readQstashDelivery(process.env, path)),
  });
}
