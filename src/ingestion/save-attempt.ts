import { describeCause } from "#platform/log.ts";
import type { Batch } from "#queue/batch.ts";
import { saveDeliveryAttempt } from "#store/deliveries/delivery-attempts.ts";

import { type AfterAnswerOptions, goOnAfterAnswer } from "./after-answer.ts";
import type { RunHandlersOptions } from "./run-event-handlers.ts";

/** How a call ended. */
export interface CallResult {
  status: number;
  errorCode: string | null;
  /** The events of a batch that was ingested before; 0 for a call that failed. */
  duplicates: number;
}

/** A call to ingest a batch that failed, or that brought what was ingested before. */
interface AttemptToSave extends CallResult {
  /** `retried` is null for a call by the fallback. */
  call: { messageId: string | null; retried: number | null; atMs: number; monotonicMs: number };
  /** Null if the batch could not be decoded. */
  delivery: Pick<Batch["delivery"], "id" | "batch"> | null;
}

/** Rows of one process that are being written. In an outage every call fails, and its rows must not queue up. */
const savingMax = 8;
let saving = 0;

/** Writes the row of a call after the answer, if not too many are being written. Never rejects. */
export async function saveAttempt(
  { call, delivery, ...result }: AttemptToSave,
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
    ...result,
    messageId: call.messageId,
    deployment,
  };
  if (saving >= savingMax) return log.debug("ingestion.attempt_unsaved", { status: result.status });
  saving += 1;
  const save = async () => {
    try {
      await saveDeliveryAttempt(db, row);
    } catch (thrown) {
      log.debug("ingestion.attempt_unsaved", { status: result.status, ...describeCause(thrown) });
    } finally {
      saving -= 1;
    }
  };
  await goOnAfterAnswer(save(), { waitUntil, log });
}
