// The options that QStash's routes share.
import type { AnswerQstashOptions } from "#queue/answer-qstash.ts";
import { readQstashDelivery } from "#ingestion/read-qstash-delivery.ts";

import { clock, log } from "../../log.ts";

/** For the route at this path, which accepts only what was signed for its own address. */
export function answerQstashOptions(path: string): AnswerQstashOptions {
  return { clock, log, readQstash: () => readQstashDelivery(process.env, path) };
}
