import type { Clock } from "#platform/clock.ts";
import type { Log } from "#platform/log.ts";
import { readBody } from "#platform/read-body.ts";
import { refuse } from "#platform/refuse.ts";

import { answerBounded, type GiveUp } from "../bounded-retries.ts";
import type { AnswerQueueCall, QueueCall, RefusalEvent } from "../queue-call.ts";
import { readCount, retriesHeader } from "../retries-header.ts";
import { type TaskOrigin, verifyTask } from "./verify-task.ts";

/** Google's pages name 1 MB as the largest task. */
const bodyBytesMax = 2_000_000;
const bodyTimeoutMs = 20_000;
const idPattern = /^[\w-]{1,500}$/;

export interface AnswerCloudTasksOptions {
  /** Throws `ENV_INVALID` if a variable is missing. */
  readOrigin: () => TaskOrigin;
  giveUp: GiveUp;
  clock: Clock;
  log: Log;
}

/**
 * Answers a call by Cloud Tasks, which repeats a delivery whatever other status than 2xx it is answered with. Its headers
 * count only once the token is verified. https://cloud.google.com/tasks/docs/creating-http-target-tasks#handler
 */
export function createAnswerCloudTasks(options: AnswerCloudTasksOptions): AnswerQueueCall {
  return (request, event, answer) => answerTask(request, event, options, answer);
}

async function answerTask(
  request: Request,
  event: RefusalEvent,
  { readOrigin, giveUp, clock, log }: AnswerCloudTasksOptions,
  answer: (call: QueueCall, log: Log) => Promise<Response>,
): Promise<Response> {
  const times = { atMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  const { headers } = request;
  // Logged before anything is verified.
  const messageId = idPattern.exec(headers.get("x-cloudtasks-taskname") ?? "")?.[0] ?? null;
  const retried = readCount(headers.get("x-cloudtasks-taskretrycount")) ?? 0;
  const callLog = log.with({ messageId, ...(retried > 0 ? { retried } : {}) });
  try {
    await verifyTask(headers.get("authorization"), readOrigin, clock);
    const bytes = await readBody(request, { bytesMax: bodyBytesMax, timeoutMs: bodyTimeoutMs, clock });
    const body = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const call = { body, bytes, messageId, retried, ...times };
    const retries = readCount(headers.get(retriesHeader)) ?? null;
    return await answerBounded({ call, retries, event, log: callLog, answer, giveUp });
  } catch (thrown) {
    return refuse(callLog, event, thrown);
  }
}
