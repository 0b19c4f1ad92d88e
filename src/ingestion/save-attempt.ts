import { describeCause } from "#platform/log.ts";
import type { Batch } from "#queue/batch.ts";
import { saveDeliveryAttempt } from "#store/delivery-attempts.ts";

import { type AfterAnswerOptions, goOnAfterAnswer } from "./after-answer.ts";
import type { RunHandlersOptions } from "./run-event-handlers.ts";

/** A call to ingest a batch that failed, or that brought what was ingested before. */
export interface AttemptToSave {
  /** `retried` is null for a call by the fallback. */
  call: { messageId: string | null; retried: number | null; atMs: number; monotonicMs: number };
  /** Null if the batch could not be decoded. */
  delivery: Pick<Batch["delivery"], "id" | "batch"> | null;
  status: number;
  errorCode: string | null;
}

/** Rows of one process that are being written. In an outage every call fails, and its rows must not queue up. */
const savingMax = 8;
let saving = 0;

/** Writes the row of a call after the answer, if not too many are being written. Never rejects. */
export async function saveAttempt(
  { call, delivery, status, errorCode }: AttemptToSave,
  {
    db,
    deployment,
    clock,
    log,
    waitUntil,
  }: Pick<RunHandlersOptions, "db" | "deployment" | "clock" | "log"> & Pick<AfterAnswerOptions, "waitUntil">,
): Promise<void> {
  const row = {
    deliveryId: delivery?.id ?? null,
    batchIndex: delivery?.batch[0] ?? null,
    atMs: call.atMs,
    ms: clock.monotonicMs() - call.monotonicMs,
    retried: call.retried,
    status,
    errorCode,
    messageId: call.messageId,
    deployment,
  };
  if (saving >= savingMax) return log.debug("ingestion.attempt_unsaved", { status });
  saving += 1;
  const save = async () => {
    try {
      await saveDeliveryAttempt(db, row);
    } catch (thrown) {
      log.debug("ingestion.attempt_unsaved", { status, ...describeCause(thrown) });
    } finally {
      saving -= 1;
    }
  };
  await goOnAfterAnswer(save(), { waitUntil, log });
}
