import { RelayError, toRelayError } from "#platform/errors.ts";
import { answerQstash, type AnswerQstashOptions, type QstashCall } from "#queue/answer-qstash.ts";
import type { Batch } from "#queue/batch.ts";
import { decodeBatch } from "#queue/decode-batch.ts";
import { storeUnavailable } from "#store/store-error.ts";

import { type AfterAnswerOptions, goOnAfterAnswer } from "./after-answer.ts";
import { handleEvents, ingestBatch, withoutPlace } from "./ingest.ts";
import type { RunHandlersOptions } from "./run-event-handlers.ts";
import { type CallResult, saveAttempt } from "./save-attempt.ts";
import type { UndecodableMessage } from "./save-undecodable.ts";
import { takeRun } from "./take-run.ts";

export interface AnswerIngestionOptions extends AnswerQstashOptions, Pick<AfterAnswerOptions, "waitUntil"> {
  /** Throws `ENV_INVALID` if a variable is missing. */
  openHandlers: () => Omit<RunHandlersOptions, "clock" | "log">;
  /** Keeps a message that is no batch as a dead letter, once. Rejects if it could not be kept. */
  saveUndecodable: (message: UndecodableMessage) => Promise<unknown>;
}

/**
 * The consumer: verifies, decodes and stores a batch from QStash. 200 says how many of its events were new, and that all are
 * committed: the handlers run after the answer, and have retries of their own. If too many run, those of this batch are
 * left to a message; only if the database is busy the batch is shed. A message that is no batch is kept and
 * answered with 489, so that QStash does not deliver it again; if it cannot be kept, 503.
 */
export function answerIngestion(request: Request, options: AnswerIngestionOptions): Promise<Response> {
  return answerQstash(request, "ingestion.refused", options, async (call, callLog) => {
    const run = { ...options.openHandlers(), clock: options.clock, log: callLog };
    let batch: Batch | null = null;
    const attempt = (result: CallResult) =>
      saveAttempt({ call, delivery: batch?.delivery ?? null, ...result }, { ...run, ...options });
    try {
      batch = await decodeOrSave(call, options);
      const log = callLog.with({ deliveryId: batch.delivery.id });
      log.debug("ingestion.received", { batch: batch.delivery.batch.join("/"), events: batch.events.length });
      const { inserted, duplicates, repeated } = await ingestAndHandle(batch, call, { ...run, log });
      if (repeated) await attempt({ status: 200, errorCode: null, duplicates });
      return Response.json({ inserted, duplicates });
    } catch (thrown) {
      const { status, code } = toRelayError(thrown);
      await attempt({ status, errorCode: code, duplicates: 0 });
      throw thrown;
    }
  });

  async function ingestAndHandle(batch: Batch, call: QstashCall, run: RunHandlersOptions) {
    const leave = await takeRun(call.retried, run);
    let handling: Promise<unknown> | null = null;
    try {
      const { toRun, ...stored } = await ingestBatch(batch, { ...call, via: "queue" }, run);
      if (toRun !== null) handling = handleEvents(leave === null ? withoutPlace(toRun) : toRun, run).finally(leave);
      if (handling !== null) await goOnAfterAnswer(handling, { ...options, log: run.log });
      return stored;
    } finally {
      if (handling === null) leave?.();
    }
  }
}

async function decodeOrSave(
  { body, ...call }: QstashCall,
  { saveUndecodable }: Pick<AnswerIngestionOptions, "saveUndecodable">,
): Promise<Batch> {
  try {
    return decodeBatch(body);
  } catch (thrown) {
    if (!(thrown instanceof RelayError) || thrown.code !== "BATCH_INVALID") throw thrown;
    try {
      await saveUndecodable({ ...call, error: thrown });
    } catch (failure) {
      throw storeUnavailable(failure);
    }
    throw thrown;
  }
}
