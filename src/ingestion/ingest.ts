import type { Handlers } from "#handlers/handler.ts";
import { findEventDrift } from "#instagram/data/find-drift.ts";
import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import type { Batch } from "#queue/batch.ts";
import type { Database } from "#store/database.ts";
import { markChunkHandled } from "#store/event-leases.ts";
import { storeBatch } from "#store/store-batch.ts";
import type { Trace } from "#tracing/trace.ts";

import { handleBatch } from "./handle-batch.ts";

export interface IngestOptions {
  db: Database;
  handlers: Handlers;
  /** For one event's handler. */
  handlerTimeoutMs: number;
  clock: Clock;
  log: Log;
  trace: Trace;
}

export interface IngestResult {
  inserted: number;
  duplicates: number;
}

/**
 * Stores a batch's events, each once however often it comes and whatever its data looks like, and then runs the user's
 * handlers for those that are not handled yet. Throws what `storeEvents` and `handleEvents` throw.
 */
export async function ingest(batch: Batch, options: IngestOptions): Promise<IngestResult> {
  const { inserted, duplicates, eventIds } = await storeEvents(batch, options);
  await handleEvents(batch, eventIds, options);
  return { inserted, duplicates };
}

/** The first half: what was new is stored, or `STORE_UNAVAILABLE` thrown. `eventIds`: of all events of the batch. */
export async function storeEvents(
  batch: Batch,
  { db, clock, log, trace }: IngestOptions,
  via: "queue" | "fallback" = "queue",
): Promise<IngestResult & { eventIds: number[] }> {
  const startedAt = clock.monotonicMs();
  const { batch: chunk, ...delivery } = batch.delivery;
  const facts = { "relay.delivery.id": delivery.id, "relay.batch.events": batch.events.length };
  const { inserted, duplicates, drifted, reduced, eventIds } = await trace.span("store events", facts, async () => {
    const stored = await storeBatch(db, {
      delivery,
      via,
      chunk,
      events: batch.events.map((event) => ({ ...event, ...findEventDrift(event) })),
      deliveredAtMs: clock.nowMs(),
      ingested: () => ({ atMs: clock.nowMs(), afterMs: clock.monotonicMs() - startedAt }),
    });
    trace.tell({ "relay.batch.inserted": stored.inserted, "relay.batch.duplicates": stored.duplicates });
    return stored;
  });
  const durationMs = clock.monotonicMs() - startedAt;
  log.info("ingestion.committed", { inserted, duplicates, drifted, reduced, durationMs });
  return { inserted, duplicates, eventIds };
}

/**
 * The second half: runs the handlers for the stored events of a batch that are not handled yet. Throws
 * `STORE_UNAVAILABLE`; `HANDLER_FAILED` if a handler failed; or `HANDLERS_UNFINISHED` if the time was not enough or
 * another delivery is at the same events. The next delivery of the batch then runs only the handlers that are left.
 */
export async function handleEvents(batch: Batch, eventIds: readonly number[], options: IngestOptions): Promise<void> {
  const { db, clock, log, trace } = options;
  const startedAt = clock.monotonicMs();
  const { id: deliveryId, batch: place } = batch.delivery;
  const result = await trace.span("handle events", { "relay.delivery.id": deliveryId }, () =>
    handleBatch(eventIds, { ...options, deliveryId }),
  );
  log.info("handlers.finished", { ...result, durationMs: clock.monotonicMs() - startedAt });
  const { failed, unfinished } = result;
  if (failed > 0) throw new RelayError("HANDLER_FAILED", `${failed} of ${eventIds.length} events could not be handled`);
  if (unfinished > 0) {
    throw new RelayError("HANDLERS_UNFINISHED", `${unfinished} of ${eventIds.length} events are not handled yet`);
  }
  await markChunkHandled(db, deliveryId, place[0], clock.nowMs());
}
