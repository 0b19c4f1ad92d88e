import type { Handlers } from "#handlers/handler.ts";
import { findDrift } from "#instagram/data/find-drift.ts";
import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import type { Batch } from "#queue/batch.ts";
import type { Database } from "#store/database.ts";
import { markChunkHandled } from "#store/event-leases.ts";
import { storeBatch } from "#store/store-batch.ts";

import { handleBatch } from "./handle-batch.ts";

export interface IngestOptions {
  db: Database;
  handlers: Handlers;
  /** For one event's handler. */
  handlerTimeoutMs: number;
  clock: Clock;
  log: Log;
}

export interface IngestResult {
  inserted: number;
  duplicates: number;
}

/**
 * Stores a batch's events, each once however often it comes and whatever its data looks like, and then runs the user's
 * handlers for those that are not handled yet. Throws `STORE_UNAVAILABLE`; `HANDLER_FAILED` if a handler failed; or
 * `HANDLERS_UNFINISHED` if the time was not enough or another delivery is at the same events. In the last two cases the
 * events are stored, and the next delivery of the batch runs only the handlers that are left.
 */
export async function ingest(batch: Batch, options: IngestOptions): Promise<IngestResult> {
  const { db, handlers, handlerTimeoutMs, clock, log } = options;
  const startedAt = clock.monotonicMs();
  const { chunk, ...delivery } = batch.delivery;
  const { inserted, duplicates, drifted, eventIds } = await storeBatch(db, {
    delivery,
    chunk,
    events: batch.events.map((event) => ({ ...event, ...findDrift(event.kind, event.data) })),
    deliveredAtMs: clock.nowMs(),
    ingested: () => ({ atMs: clock.nowMs(), afterMs: clock.monotonicMs() - startedAt }),
  });
  log.info("ingestion.committed", { inserted, duplicates, drifted, durationMs: clock.monotonicMs() - startedAt });

  const result = await handleBatch(eventIds, { db, handlers, deliveryId: delivery.id, handlerTimeoutMs, clock, log });
  log.info("handlers.finished", { ...result, durationMs: clock.monotonicMs() - startedAt });
  const { failed, unfinished } = result;
  if (failed > 0) throw new RelayError("HANDLER_FAILED", `${failed} of ${eventIds.length} events could not be handled`);
  if (unfinished > 0) {
    throw new RelayError("HANDLERS_UNFINISHED", `${unfinished} of ${eventIds.length} events are not handled yet`);
  }
  await markChunkHandled(db, delivery.id, chunk[0], clock.nowMs());
  return { inserted, duplicates };
}
