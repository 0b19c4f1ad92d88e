import type { Log } from "#platform/log.ts";

/** A message that a queue has delivered, once its origin is verified. */
export interface QueueCall {
  body: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** The queue's id of it. */
  messageId: string | null;
  /** How often the queue has delivered the message before. */
  retried: number;
  /** When it came: by the wall clock, and by the monotonic one. */
  atMs: number;
  monotonicMs: number;
}

/** The log event of a message that was not taken, by what it is for. */
export type RefusalEvent = "ingestion.refused" | "handlers.refused" | "dead_letter.refused" | "maintenance.refused";

/**
 * Answers a queue's call to one of our routes: verifies it and resolves with `answer`'s response. An error is logged as
 * `event`, and answered so that the queue delivers the message again where that can help.
 */
export type AnswerQueueCall = (
  request: Request,
  event: RefusalEvent,
  answer: (call: QueueCall, log: Log) => Promise<Response>,
) => Promise<Response>;
