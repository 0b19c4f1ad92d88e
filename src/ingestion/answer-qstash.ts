import type { Clock } from "#platform/clock.ts";
import { toRelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import { readBody } from "#platform/read-body.ts";
import { refuse } from "#platform/refuse.ts";
import { type QstashDeliveryOptions, verifyDelivery } from "#queue/verify-delivery.ts";

/** Far above QStash's largest message; a failure callback repeats one in base64. */
const bodyBytesMax = 16 * 1024 * 1024;
const bodyTimeoutMs = 20_000;

export interface AnswerQstashOptions {
  /** Throws `ENV_INVALID` if a variable is missing. */
  readQstash: () => QstashDeliveryOptions;
  clock: Clock;
  log: Log;
}

const idPattern = /^[\w-]{1,100}$/;

/**
 * Answers a call by QStash: verifies it and resolves with `answer`'s response. An error is logged as `event` and answered
 * with the error's status.
 */
export async function answerQstash(
  request: Request,
  event: "ingestion.refused" | "dead_letter.refused",
  { readQstash, clock, log }: AnswerQstashOptions,
  answer: (body: string, log: Log) => Promise<Response>,
): Promise<Response> {
  const callLog = log.with({
    // Logged before anything is verified.
    messageId: idPattern.exec(request.headers.get("upstash-message-id") ?? "")?.[0] ?? null,
    retried: Number(request.headers.get("upstash-retried") ?? 0),
  });
  try {
    const readWhole = () => readBody(request, { bytesMax: bodyBytesMax, timeoutMs: bodyTimeoutMs, clock });
    const signature = request.headers.get("upstash-signature");
    const body = await verifyDelivery(signature, readWhole, { ...readQstash(), clock });
    return await answer(body, callLog);
  } catch (thrown) {
    // No Retry-After: QStash would follow it instead of its own back-off and use up the retries at once.
    const isFinal = toRelayError(thrown).code === "BATCH_INVALID";
    return refuse(callLog, event, thrown, isFinal ? { headers: { "upstash-nonretryable-error": "true" } } : {});
  }
}
