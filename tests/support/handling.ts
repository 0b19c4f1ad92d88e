import { randomUUID } from "node:crypto";

import type { Handler, Handlers } from "#handlers/handler.ts";
import { handleEvents, ingestBatch } from "#ingestion/ingest.ts";
import { createProcessWork } from "#ingestion/process-work.ts";
import type { HandlersResult, RunHandlersOptions } from "#ingestion/run-event-handlers.ts";
import { createSettlementQueue } from "#ingestion/settlement-queue.ts";
import { type Clock, systemClock } from "#platform/clock.ts";
import type { Batch } from "#queue/batch.ts";
import { decodeHandlersMessage, type HandlersMessage } from "#queue/handlers-message.ts";
import type { Database } from "#store/connection/database.ts";
import { noTrace } from "#tracing/trace.ts";

import { createHandlers } from "./handlers.ts";
import { createRecordingLog, type RecordingLog } from "./recording-log.ts";

/** A message to `/api/qstash/handlers` that was published. */
export interface PublishedMessage extends HandlersMessage {
  delayMs: number;
  deduplicationId: string | undefined;
}

export interface Handling extends RunHandlersOptions {
  recording: RecordingLog;
  /** What was published, in the order of publishing. */
  published: PublishedMessage[];
}

/** What handlers run on in a test: this function for messages, and a QStash that only takes note. */
export function createHandling(
  db: Database,
  message: Handler = () => {},
  {
    clock = systemClock,
    handlers = {},
    ...others
  }: Partial<Omit<RunHandlersOptions, "handlers">> & {
    clock?: Clock;
    handlers?: Partial<Handlers>;
  } = {},
): Handling {
  const recording = createRecordingLog();
  const published: PublishedMessage[] = [];
  return {
    db,
    settle: createSettlementQueue(db, clock),
    handlers: createHandlers(undefined, { message, ...handlers }),
    handlerTimeoutMs: 5_000,
    concurrency: 4,
    retries: 8,
    publisher: {
      publish: async ({ body, delayMs = 0, deduplicationId }) => {
        published.push({ ...decodeHandlersMessage(body), delayMs, deduplicationId });
        return { messageId: `msg_${published.length}` };
      },
    },
    work: createProcessWork(clock).work,
    deployment: "build-1",
    clock,
    random: () => 0.5,
    newId: randomUUID,
    log: recording.log,
    trace: noTrace,
    recording,
    published,
    ...others,
  };
}

export interface Ingested {
  inserted: number;
  duplicates: number;
  /** Null if there was nothing to handle. */
  handlers: HandlersResult | null;
}

/** Stores a batch and runs its handlers, as the consumer does before and after its answer. */
export async function ingest(
  batch: Batch,
  options: RunHandlersOptions,
  messageId: string | null = "msg_batch",
): Promise<Ingested> {
  const call = { via: "queue", messageId, retried: 0 } as const;
  const times = { atMs: options.clock.nowMs(), monotonicMs: options.clock.monotonicMs() };
  const { inserted, duplicates, toRun } = await ingestBatch(batch, { ...call, ...times }, options);
  return { inserted, duplicates, handlers: toRun === null ? null : await handleEvents(toRun, options) };
}
