import type { Clock } from "#platform/clock.ts";
import { errorResponse, toRelayError } from "#platform/errors.ts";
import { readInternal } from "#platform/read-internal.ts";
import { describeCause, type Log, type LogFields } from "#platform/log.ts";
import { decodeBatch } from "#queue/decode-batch.ts";

import { handleEvents, type IngestOptions, storeEvents } from "./ingest.ts";

/** The forward that calls has five seconds for all it tries. */
const bodyTimeoutMs = 5_000;

export interface FallbackHandlerOptions {
  /** Throws `ENV_INVALID` if something is missing. `webhookBytesMax`: of the largest delivery. */
  readSettings: () => { secret: string; webhookBytesMax: number };
  openIngest: () => Omit<IngestOptions, "clock" | "log">;
  /** The platform's promise to keep the invocation alive until this settles. */
  waitUntil: (promise: Promise<unknown>) => void;
  clock: Clock;
  log: Log;
}

/**
 * Takes a batch from our own webhook when the queue did not: the consumer's ingestion under another signature. 200 means
 * that the events are stored; the handlers run after it, as the forward that waits for the answer has little time.
 */
export async function handleFallback(request: Request, options: FallbackHandlerOptions): Promise<Response> {
  const { readSettings, openIngest, clock, log } = options;
  try {
    const { secret, webhookBytesMax } = readSettings();
    // A delivery that is no JSON goes on in base64, a third larger, with the facts about it.
    const bytesMax = Math.ceil((webhookBytesMax * 4) / 3) + 10_000;
    const bytes = await readInternal(request, {
      readSecret: () => secret,
      bytesMax,
      timeoutMs: bodyTimeoutMs,
      clock,
    });
    const batch = decodeBatch(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
    const deliveryLog = log.with({ deliveryId: batch.delivery.id, via: "fallback" });
    deliveryLog.info("ingestion.received", { batch: batch.delivery.batch.join("/"), events: batch.events.length });
    const ingest = { ...openIngest(), clock, log: deliveryLog };
    const stored = await storeEvents(batch, ingest, "fallback");
    const handling = handleEvents(batch, stored.eventIds, ingest).catch((thrown: unknown) =>
      deliveryLog.error("fallback.handlers_failed", describe(thrown)),
    );
    try {
      options.waitUntil(handling);
    } catch {
      // Only the request keeps this invocation alive.
      await handling;
    }
    return Response.json({ inserted: stored.inserted, duplicates: stored.duplicates });
  } catch (thrown) {
    const error = toRelayError(thrown);
    if (error.status >= 500) log.error("fallback.failed", describe(error));
    else log.warn("fallback.refused", describe(error));
    return errorResponse(error);
  }
}

function describe(thrown: unknown): LogFields {
  const error = toRelayError(thrown);
  return { code: error.code, reason: error.message, ...(error.cause === undefined ? {} : describeCause(error.cause)) };
}
