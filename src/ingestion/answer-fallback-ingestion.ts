import type { Clock } from "#platform/clock.ts";
import { toRelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import { readInternal } from "#platform/read-internal.ts";
import { refuse } from "#platform/refuse.ts";
import { decodeBatch } from "#queue/decode-batch.ts";

import { type AfterAnswerOptions, goOnAfterAnswer } from "./after-answer.ts";
import { handleInTurn } from "./handle-in-turn.ts";
import { ingestBatch } from "./ingest.ts";
import type { RunHandlersOptions } from "./run-event-handlers.ts";
import { type CallResult, saveAttempt } from "./save-attempt.ts";

/** The forward that sends the body waits no longer: it is the most that `FALLBACK_BUDGET_MS` allows. */
const bodyTimeoutMs = 5_000;

export interface AnswerFallbackIngestionOptions extends Pick<AfterAnswerOptions, "waitUntil"> {
  /** Throws `ENV_INVALID` if a variable is missing. `webhookBytesMax`: of the largest delivery. */
  readSettings: () => { secrets: readonly string[]; webhookBytesMax: number };
  openHandlers: () => Omit<RunHandlersOptions, "clock" | "log">;
  clock: Clock;
  log: Log;
}

/**
 * Ingests a batch from our own webhook that the queue did not accept: as the consumer does, under another signature. 200
 * means that the events are stored. Nothing is shed here, because the queue does not have the batch and would not deliver it again: if too many
 * handlers run, those of this batch wait, and are then tried as those are that failed.
 */
export async function answerFallbackIngestion(
  request: Request,
  { readSettings, openHandlers, waitUntil, clock, log }: AnswerFallbackIngestionOptions,
): Promise<Response> {
  const call = { messageId: null, retried: null, atMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  let saveCall = async (_result: CallResult) => {};
  try {
    const { secrets, webhookBytesMax } = readSettings();
    const bytes = await readInternal(request, {
      readSecrets: () => secrets,
      // A delivery that is not JSON is sent in base64, a third larger, with the facts about it.
      bytesMax: Math.ceil((webhookBytesMax * 4) / 3) + 10_000,
      timeoutMs: bodyTimeoutMs,
      clock,
    });
    const batch = decodeBatch(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
    const { delivery } = batch;
    const deliveryLog = log.with({ deliveryId: delivery.id, via: "fallback" });
    deliveryLog.debug("ingestion.received", { batch: delivery.batch.join("/"), events: batch.events.length });
    const run = { ...openHandlers(), clock, log: deliveryLog };
    const after = { waitUntil, log: deliveryLog };
    saveCall = (result) => saveAttempt({ call, delivery, ...result }, { ...run, ...after });
    const { inserted, duplicates, repeated, toRun } = await ingestBatch(batch, { ...call, via: "fallback" }, run);
    if (toRun !== null) await goOnAfterAnswer(handleInTurn(toRun, run), after);
    if (repeated) await saveCall({ status: 200, errorCode: null, duplicates });
    return Response.json({ inserted, duplicates });
  } catch (thrown) {
    const { status, code } = toRelayError(thrown);
    await saveCall({ status, errorCode: code, duplicates: 0 });
    return refuse(log, "fallback.refused", thrown);
  }
}
