// For queues that repeat a failed delivery without an end, or for which the end means that the message is lost.
import { type ErrorCode, type RelayError, toRelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import { refuse } from "#platform/refuse.ts";

import type { QueueCall, RefusalEvent } from "./queue-call.ts";

/** Keeps of a message that is given up what has to be kept. Rejects if it could not: then the message comes again. */
export type GiveUp = (call: QueueCall, error: RelayError | null) => Promise<void>;

export interface BoundedCall {
  call: QueueCall;
  /** Deliveries after the first; null for as many as a batch has. */
  retries: number | null;
  event: RefusalEvent;
  log: Log;
  answer: (call: QueueCall, log: Log) => Promise<Response>;
  giveUp: GiveUp;
}

/** With the pauses of a queue that is set up as docs/QUEUES.md says, about four hours. */
const batchRetries = 20;

/** They tell of us and not of the message, which is delivered until they pass. */
const passing = new Set<ErrorCode>(["STORE_UNAVAILABLE", "OVERLOADED", "ENV_INVALID", "STOPPING", "SIGNATURE_INVALID"]);

/**
 * Answers with `answer`'s response, or with an error. A failure is answered with 200 if another delivery of the message
 * cannot change it, or if it was the last one and the message is given up.
 */
export async function answerBounded(bounded: BoundedCall): Promise<Response> {
  const { call, event, log, answer, giveUp } = bounded;
  let error: RelayError | null = null;
  let response: Response;
  try {
    response = await answer(call, log);
    if (response.ok) return response;
  } catch (thrown) {
    error = toRelayError(thrown);
    response = refuse(log, event, thrown, { headers: retryAfter(error) });
    // A batch that cannot be decoded is kept by now.
    if (error.code === "BATCH_INVALID") return accepted(response);
  }
  if (call.retried < (bounded.retries ?? batchRetries) || (error !== null && passing.has(error.code))) return response;
  try {
    await giveUp(call, error);
    log.error("queue.message_given_up", { deliveries: call.retried + 1, code: error?.code ?? null });
    return accepted(response);
  } catch (thrown) {
    return refuse(log, event, thrown);
  }
}

function retryAfter({ retryAfterMs }: RelayError): Record<string, string> {
  return retryAfterMs === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterMs / 1000)) };
}

/** Says what was wrong, with a status after which the message does not come again. */
function accepted({ body, headers }: Response): Response {
  return new Response(body, { status: 200, headers });
}
