import { findEventDrift } from "#instagram/data/find-drift.ts";
import { traceIdOf } from "#platform/traceparent.ts";
import type { Batch } from "#queue/batch.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";

import { leaseMsFor, startLease } from "./lease.ts";
import {
  type HandlersResult,
  type HandlersToRun,
  runEventHandlers,
  type RunHandlersOptions,
} from "./run-event-handlers.ts";
import { withoutProbe } from "./without-probe.ts";

/** The call that brought a batch. */
export interface BatchCall {
  via: "queue" | "fallback" | "backfill";
  /** The queue's id of the message; null without one. */
  messageId: string | null;
  /** How often the queue has delivered the message before; null for a call by the fallback. */
  retried: number | null;
  /** When the call came: by the wall clock, and by the monotonic one. */
  atMs: number;
  monotonicMs: number;
}

export interface IngestedBatch {
  inserted: number;
  duplicates: number;
  /** Whether the batch was ingested before. */
  repeated: boolean;
  /** What is left to do for it; null if every event was handled before, or is in other hands. */
  toRun: HandlersToRun | null;
}

/**
 * Stores a batch's events, each once however often it comes and whatever its data looks like, and leases those that are to
 * be handled now. Of a probe only the delivery is stored. One statement. Throws `STORE_UNAVAILABLE`.
 */
export async function ingestBatch(
  received: Batch,
  { atMs, monotonicMs, ...call }: BatchCall,
  { db, handlerTimeoutMs, unsentMessages = "erase", clock, log, trace }: RunHandlersOptions,
): Promise<IngestedBatch> {
  const batch = withoutProbe(received);
  const { batch: indexAndCount, ...delivery } = batch.delivery;
  const facts = { "relay.delivery.id": delivery.id, "relay.batch.events": batch.events.length };
  const lease = startLease(clock, leaseMsFor(batch.events.length, handlerTimeoutMs));
  const { leased, deathIds, repeated, ...counts } = await trace.span("store events", facts, async () => {
    const stored = await storeBatch(db, {
      ...call,
      retried: call.retried ?? 0,
      traceId: traceIdOf(trace.traceparent()),
      delivery,
      batch: indexAndCount,
      events: batch.events.map((event) => ({ ...event, ...findEventDrift(event) })),
      delivered: { atMs, monotonicMs },
      leaseMs: lease.leaseMs,
      unsentMessages,
    });
    trace.tell({ "relay.batch.inserted": stored.inserted, "relay.batch.duplicates": stored.duplicates });
    return stored;
  });
  const { inserted, duplicates, ...odd } = counts;
  const durationMs = roundMs(clock.monotonicMs() - monotonicMs);
  log.info("ingestion.committed", {
    inserted,
    duplicates,
    ...withoutZeros(odd),
    ...(repeated ? { repeated } : {}),
    durationMs,
  });
  const isDone = leased.length === 0 && deathIds.length === 0;
  const toRun = isDone ? null : { leased, lease, deathIds, replayId: null, messageId: call.messageId };
  return { inserted, duplicates, repeated, toRun };
}

/** The same work without a place for it: nothing begins, and all is released as what a run leaves over. */
export function withoutPlace(toRun: HandlersToRun): HandlersToRun {
  return { ...toRun, lease: { ...toRun.lease, lasts: () => false }, deathIds: [] };
}

/** Runs the handlers and logs what became of them in one line. Never rejects. */
export async function handleEvents(toRun: HandlersToRun, options: RunHandlersOptions): Promise<HandlersResult> {
  const { clock, log, trace } = options;
  const startedAt = clock.monotonicMs();
  const facts = { "relay.events": toRun.leased.length + toRun.deathIds.length };
  const result = await trace.span("handle events", facts, () => runEventHandlers(toRun, options));
  const { handled, ...others } = result;
  const durationMs = roundMs(clock.monotonicMs() - startedAt);
  const level = result.unsettled > 0 ? "error" : "info";
  log[level]("handlers.finished", { handled, ...withoutZeros(others), durationMs });
  return result;
}

function withoutZeros(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
