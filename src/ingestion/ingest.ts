import { findEventDrift } from "#instagram/data/find-drift.ts";
import { RelayError } from "#platform/errors.ts";
import type { Batch } from "#queue/batch.ts";
import { markBatchHandled } from "#store/event-leases.ts";
import { storeBatch } from "#store/store-batch.ts";

import { runEventHandlers, type RunEventHandlersOptions } from "./run-event-handlers.ts";

export type IngestOptions = Omit<RunEventHandlersOptions, "deliveryId">;

export interface IngestResult {
  inserted: number;
  duplicates: number;
}

/**
 * Stores a batch's events, each once however often it comes and whatever its data looks like, and then runs the user's
 * handlers for the events that are not handled yet. Throws what `storeEvents` and `runHandlers` throw.
 */
export async function ingest(batch: Batch, options: IngestOptions): Promise<IngestResult> {
  const { inserted, duplicates, eventIds } = await storeEvents(batch, options);
  await runHandlers(batch, eventIds, options);
  return { inserted, duplicates };
}

/**
 * The first half of `ingest`: stores the events that are new. Throws `STORE_UNAVAILABLE`. `eventIds` are those of all
 * events of the batch, in its order.
 */
export async function storeEvents(
  batch: Batch,
  { db, clock, log, trace }: IngestOptions,
  via: "queue" | "fallback" = "queue",
): Promise<IngestResult & { eventIds: number[] }> {
  const delivered = { atMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  const { batch: indexAndCount, ...delivery } = batch.delivery;
  const facts = { "relay.delivery.id": delivery.id, "relay.batch.events": batch.events.length };
  const { eventIds, ...counts } = await trace.span("store events", facts, async () => {
    const events = batch.events.map((event) => ({ ...event, ...findEventDrift(event) }));
    const stored = await storeBatch(db, { delivery, via, batch: indexAndCount, events, delivered }, clock);
    trace.tell({ "relay.batch.inserted": stored.inserted, "relay.batch.duplicates": stored.duplicates });
    return stored;
  });
  log.info("ingestion.committed", { ...counts, durationMs: clock.monotonicMs() - delivered.monotonicMs });
  return { inserted: counts.inserted, duplicates: counts.duplicates, eventIds };
}

/**
 * The second half of `ingest`: runs the handlers for the stored events of a batch that are not handled yet. Throws
 * `STORE_UNAVAILABLE`; `HANDLER_FAILED` if a handler failed; `HANDLERS_UNFINISHED` if the time was too short or another
 * delivery runs handlers of the same events. The next delivery of the batch then runs only the remaining handlers.
 */
export async function runHandlers(batch: Batch, eventIds: readonly number[], options: IngestOptions): Promise<void> {
  const { db, clock, log, trace } = options;
  const startedAt = clock.monotonicMs();
  const { id: deliveryId, batch: indexAndCount } = batch.delivery;
  const result = await trace.span("handle events", { "relay.delivery.id": deliveryId }, () =>
    runEventHandlers(eventIds, { ...options, deliveryId }),
  );
  log.info("handlers.finished", { ...result, durationMs: clock.monotonicMs() - startedAt });
  const { failed, unfinished } = result;
  if (failed > 0) throw new RelayError("HANDLER_FAILED", `${failed} of ${eventIds.length} events could not be handled`);
  if (unfinished > 0) {
    throw new RelayError("HANDLERS_UNFINISHED", `${unfinished} of ${eventIds.length} events are not handled yet`);
  }
  await markBatchHandled(db, deliveryId, indexAndCount[0], clock.nowMs());
}
