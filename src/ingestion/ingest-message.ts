import type { Clock } from "#platform/clock.ts";
import { RelayError, toRelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import type { Batch } from "#queue/batch.ts";
import { decodeBatch } from "#queue/decode-batch.ts";
import type { QueueCall } from "#queue/queue-call.ts";
import { storeUnavailable } from "#store/connection/store-error.ts";

import { type AfterAnswerOptions, goOnAfterAnswer } from "./after-answer.ts";
import { handleEvents, ingestBatch, withoutPlace } from "./ingest.ts";
import type { RunHandlersOptions } from "./run-event-handlers.ts";
import { type CallResult, saveAttempt } from "./save-attempt.ts";
import type { UndecodableMessage } from "./save-undecodable.ts";
import { takeRun } from "./take-run.ts";

export interface IngestMessageOptions extends Pick<AfterAnswerOptions, "waitUntil"> {
  /** Throws `ENV_INVALID` if a variable is missing. */
  openHandlers: () => Omit<RunHandlersOptions, "clock" | "log">;
  /** Keeps a message that is no batch as a dead letter, once. Rejects if it could not be kept. */
  saveUndecodable: (message: UndecodableMessage) => Promise<unknown>;
  clock: Clock;
}

/**
 * Decodes and stores the batch that a queue delivered. Resolves once all of its events are committed, with how many were
 * new: the handlers run afterwards, and have retries of their own. If too many run, those of this batch are left to a
 * message. Throws `OVERLOADED` if the database is busy, `BATCH_INVALID` for a message that is no batch and is kept,
 * `STORE_UNAVAILABLE` if it could not be kept, and what `decodeBatch` and `ingestBatch` throw.
 */
export async function ingestMessage(
  call: QueueCall,
  callLog: Log,
  options: IngestMessageOptions,
): Promise<{ inserted: number; duplicates: number }> {
  const run = { ...options.openHandlers(), clock: options.clock, log: callLog };
  let batch: Batch | null = null;
  const attempt = (result: CallResult) =>
    saveAttempt({ call, delivery: batch?.delivery ?? null, ...result }, { ...run, ...options });
  try {
    batch = await decodeOrSave(call, options);
    const log = callLog.with({ deliveryId: batch.delivery.id });
    log.debug("ingestion.received", { batch: batch.delivery.batch.join("/"), events: batch.events.length });
    const { inserted, duplicates, repeated } = await ingestAndHandle(batch, call, { ...run, log }, options);
    if (repeated) await attempt({ status: 200, errorCode: null, duplicates });
    return { inserted, duplicates };
  } catch (thrown) {
    const { status, code } = toRelayError(thrown);
    await attempt({ status, errorCode: code, duplicates: 0 });
    throw thrown;
  }
}

async function ingestAndHandle(
  batch: Batch,
  call: QueueCall,
  run: RunHandlersOptions,
  { waitUntil }: Pick<IngestMessageOptions, "waitUntil">,
) {
  const leave = await takeRun(call.retried, run);
  let handling: Promise<unknown> | null = null;
  try {
    const { toRun, ...stored } = await ingestBatch(batch, { ...call, via: "queue" }, run);
    if (toRun !== null) handling = handleEvents(leave === null ? withoutPlace(toRun) : toRun, run).finally(leave);
    if (handling !== null) await goOnAfterAnswer(handling, { waitUntil, log: run.log });
    return stored;
  } finally {
    if (handling === null) leave?.();
  }
}

async function decodeOrSave(
  { body, ...call }: QueueCall,
  { saveUndecodable }: Pick<IngestMessageOptions, "saveUndecodable">,
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
