import type { Handlers } from "#handlers/handler.ts";
import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import type { Batch } from "#queue/batch.ts";
import type { Database } from "#store/database.ts";
import { handleStoredEvents, markChunkHandled } from "#store/handle-events.ts";
import { storeBatch } from "#store/store-batch.ts";

import { runHandler } from "./run-handlers.ts";

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
 * Stores a batch's events, each once however often it comes, and then runs the user's handlers for those that are not
 * handled yet. Throws `STORE_UNAVAILABLE`, or `HANDLER_FAILED` if a handler failed: the events are stored then, and the
 * next delivery of the batch runs only the handlers that failed.
 */
export async function ingest(batch: Batch, options: IngestOptions): Promise<IngestResult> {
  const { db, handlers, handlerTimeoutMs, clock, log } = options;
  const startedAt = clock.monotonicMs();
  const { chunk, ...delivery } = batch.delivery;
  const { inserted, duplicates, eventIds } = await storeBatch(db, {
    delivery,
    chunk,
    events: batch.events,
    deliveredAtMs: clock.nowMs(),
    ingested: () => ({ atMs: clock.nowMs(), afterMs: clock.monotonicMs() - startedAt }),
  });
  log.info("ingestion.committed", { inserted, duplicates, durationMs: clock.monotonicMs() - startedAt });

  const { handled, failed } = await handleStoredEvents(
    db,
    eventIds,
    () => clock.nowMs(),
    (event) => runHandler(event, { handlers, deliveryId: delivery.id, timeoutMs: handlerTimeoutMs, clock, log }),
  );
  log.info("handlers.finished", { handled, failed, durationMs: clock.monotonicMs() - startedAt });
  if (failed > 0) throw new RelayError("HANDLER_FAILED", `${failed} of ${eventIds.length} events could not be handled`);
  await markChunkHandled(db, delivery.id, chunk[0], clock.nowMs());
  return { inserted, duplicates };
}
