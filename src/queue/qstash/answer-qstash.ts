import type { Clock } from "#platform/clock.ts";
import { toRelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import { readBody } from "#platform/read-body.ts";
import { refuse } from "#platform/refuse.ts";
import type { AnswerQueueCall, QueueCall, RefusalEvent } from "../queue-call.ts";
import { type Digests, type QstashDeliveryOptions, verifyDelivery } from "./verify-delivery.ts";

/** Far above QStash's largest message; a failure callback repeats one in base64. */
const bodyBytesMax = 16 * 1024 * 1024;
const bodyTimeoutMs = 20_000;

export interface AnswerQstashOptions {
  /** Throws `ENV_INVALID` if a variable is missing. */
  readQstash: () => QstashDeliveryOptions;
  digests: Digests;
  clock: Clock;
  log: Log;
}

const idPattern = /^[\w-]{1,100}$/;

/**
 * Answers a call by QStash: an error is answered with its status, and with its `Retry-After` if it has one. A message that
 * no attempt can make valid is answered so that QStash gives it up.
 */
export function createAnswerQstash(options: AnswerQstashOptions): AnswerQueueCall {
  return (request, event, answer) => answerQstash(request, event, options, answer);
}

async function answerQstash(
  request: Request,
  event: RefusalEvent,
  { readQstash, digests, clock, log }: AnswerQstashOptions,
  answer: (call: QueueCall, log: Log) => Promise<Response>,
): Promise<Response> {
  const times = { atMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  // Logged before anything is verified.
  const messageId = idPattern.exec(request.headers.get("upstash-message-id") ?? "")?.[0] ?? null;
  const retried = readRetried(request.headers.get("upstash-retried"));
  const callLog = log.with({ messageId, ...(retried > 0 ? { retried } : {}) });
  try {
    let bytes = new Uint8Array(0);
    const readWhole = async () =>
      (bytes = await readBody(request, { bytesMax: bodyBytesMax, timeoutMs: bodyTimeoutMs, clock }));
    const signature = request.headers.get("upstash-signature");
    const body = await verifyDelivery(signature, readWhole, { ...readQstash(), digests, clock });
    return await answer({ body, bytes, messageId, retried, ...times }, callLog);
  } catch (thrown) {
    const { code, retryAfterMs } = toRelayError(thrown);
    // QStash follows Retry-After instead of its own back-off, so only an error that chose the time has one.
    const headers = {
      ...(code === "BATCH_INVALID" ? { "upstash-nonretryable-error": "true" } : {}),
      ...(retryAfterMs === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) }),
    };
    return refuse(callLog, event, thrown, { headers });
  }
}

function readRetried(header: string | null): number {
  return /^\d{1,4}$/.test(header ?? "") ? Number(header) : 0;
}
