import type { Clock } from "#platform/clock.ts";
import { errorResponse, toRelayError } from "#platform/errors.ts";
import { describeCause, type Log } from "#platform/log.ts";
import { readBody } from "#platform/read-body.ts";
import { type QstashDeliveryOptions, verifyDelivery } from "#queue/verify-delivery.ts";

/** What QStash may send us: its largest message by far, and a failure callback, which repeats one in base64. */
const bodyBytesMax = 16 * 1024 * 1024;
const bodyTimeoutMs = 20_000;

export interface QstashRouteOptions {
  /** Throws `ENV_INVALID` if something is missing. */
  readQstash: () => QstashDeliveryOptions;
  clock: Clock;
  log: Log;
}

const idPattern = /^[\w-]{1,100}$/;

/** Answers one call of QStash's: verified first, then `handle`d; errors get the table's status. */
export async function answerQstash(
  request: Request,
  { readQstash, clock, log }: QstashRouteOptions,
  handle: (body: string, log: Log) => Promise<Response>,
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
    return await handle(body, callLog);
  } catch (thrown) {
    const error = toRelayError(thrown);
    const fields = { code: error.code, reason: error.message, ...(error.cause ? describeCause(error.cause) : {}) };
    if (error.status >= 500) callLog.error("ingestion.failed", fields);
    else callLog.warn("ingestion.refused", fields);
    // No Retry-After: QStash would take it instead of its own back-off and burn the retries in a moment.
    return errorResponse(error, error.code === "BATCH_INVALID" ? { "upstash-nonretryable-error": "true" } : {});
  }
}
