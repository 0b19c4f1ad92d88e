import type { Clock } from "#platform/clock.ts";
import { toRelayError } from "#platform/errors.ts";
import { describeCause, type Log } from "#platform/log.ts";
import { readInternal } from "#platform/read-internal.ts";
import { refuse } from "#platform/refuse.ts";
import { decodeBatch } from "#queue/decode-batch.ts";

import { type IngestOptions, runHandlers, storeEvents } from "./ingest.ts";

/** The forward that sends the body waits no longer: it is the most that `FALLBACK_BUDGET_MS` allows. */
const bodyTimeoutMs = 5_000;

export interface AnswerFallbackIngestionOptions {
  /** Throws `ENV_INVALID` if a variable is missing. `webhookBytesMax`: of the largest delivery. */
  readSettings: () => { secret: string; webhookBytesMax: number };
  openIngest: () => Omit<IngestOptions, "clock" | "log">;
  /** Keeps the invocation alive until the promise settles. Throws on a platform that cannot. */
  waitUntil: (promise: Promise<unknown>) => void;
  clock: Clock;
  log: Log;
}

/**
 * Ingests a batch from our own webhook that QStash did not accept: as the consumer does, under another signature. 200
 * means that the events are stored. The handlers run after the response, because the forward that waits has little time.
 */
export async function answerFallbackIngestion(
  request: Request,
  { readSettings, openIngest, waitUntil, clock, log }: AnswerFallbackIngestionOptions,
): Promise<Response> {
  try {
    const { secret, webhookBytesMax } = readSettings();
    const bytes = await readInternal(request, {
      readSecret: () => secret,
      // A delivery that is not JSON is sent in base64, a third larger, with the facts about it.
      bytesMax: Math.ceil((webhookBytesMax * 4) / 3) + 10_000,
      timeoutMs: bodyTimeoutMs,
      clock,
    });
    const batch = decodeBatch(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
    const deliveryLog = log.with({ deliveryId: batch.delivery.id, via: "fallback" });
    deliveryLog.info("ingestion.received", { batch: batch.delivery.batch.join("/"), events: batch.events.length });
    const ingest = { ...openIngest(), clock, log: deliveryLog };
    const { inserted, duplicates, eventIds } = await storeEvents(batch, ingest, "fallback");
    const handling = runHandlers(batch, eventIds, ingest).catch((thrown: unknown) => {
      const { code, message, cause } = toRelayError(thrown);
      deliveryLog.error("fallback.handlers_failed", { code, reason: message, ...(cause ? describeCause(cause) : {}) });
    });
    try {
      waitUntil(handling);
    } catch (thrown) {
      deliveryLog.error("fallback.wait_until_failed", describeCause(thrown));
      // Only the request keeps this invocation alive.
      await handling;
    }
    return Response.json({ inserted, duplicates });
  } catch (thrown) {
    return refuse(log, "fallback.refused", thrown);
  }
}
