import { findEventDrift } from "#instagram/data/find-drift.ts";
import type { InstagramEvent } from "#instagram/events.ts";

import type { StoredFacts } from "./delivery-row.ts";
import { markBatchHandled } from "./event-leases.ts";
import { type HandlersResult, runEventHandlers, type RunEventHandlersOptions } from "./run-event-handlers.ts";
import { storeBatch } from "./store-batch.ts";

export interface BatchBefore {
  delivery: StoredFacts & { batch: readonly [index: number, count: number] };
  events: readonly InstagramEvent[];
}

/**
 * Stores a batch and runs the handlers as the previous release did, without its log lines and spans. Throws
 * `STORE_UNAVAILABLE`.
 */
export async function ingestBefore(batch: BatchBefore, options: RunEventHandlersOptions): Promise<HandlersResult> {
  const { db, clock } = options;
  const { batch: indexAndCount, ...delivery } = batch.delivery;
  const delivered = { atMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  const events = batch.events.map((event) => ({ ...event, ...findEventDrift(event) }));
  const toStore = { delivery, via: "queue", batch: indexAndCount, events, delivered } as const;
  const { eventIds } = await storeBatch(db, toStore, clock);
  const result = await runEventHandlers(eventIds, options);
  if (result.failed + result.unfinished === 0) {
    await markBatchHandled(db, delivery.id, indexAndCount[0], clock.nowMs());
  }
  return result;
}
