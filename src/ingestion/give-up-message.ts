import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import type { GiveUp } from "#queue/bounded-retries.ts";
import { decodeHandlersMessage } from "#queue/handlers-message.ts";
import type { QueueRoute } from "#queue/queue-route.ts";

import type { UndecodableMessage } from "./save-undecodable.ts";

export interface GiveUpOptions {
  /** Keeps a batch as a dead letter, once. Rejects if it could not be kept. */
  save: (message: UndecodableMessage) => Promise<unknown>;
  /** Notes that no message is under way for these events, so that maintenance publishes one. */
  release: (eventIds: readonly number[]) => Promise<void>;
}

/**
 * What becomes of a message that a queue without dead letters has delivered too often. A batch is kept as a dead letter. A
 * message to run handlers is none: its events are still open here; neither is one to maintenance, which is called again.
 */
export function createGiveUps({ save, release }: GiveUpOptions): Record<QueueRoute, GiveUp> {
  return {
    "instagram-ingestion": async (call, error, log) => {
      await save({ ...call, error: error ?? new RelayError("INTERNAL", "The batch could not be ingested") });
      log.error("dead_letter.recorded", { status: error?.status ?? 500, recorded: true });
    },
    handlers: ({ body }, _error, log) => releaseEvents(body, release, log),
    maintenance: async () => {},
  };
}

/** Releases the events of a message to run handlers. Throws what decoding it throws. */
export async function releaseEvents(body: string, release: GiveUpOptions["release"], log: Log): Promise<void> {
  const { eventIds } = decodeHandlersMessage(body);
  await release(eventIds);
  log.warn("handlers.publish_failed", { events: eventIds.length });
}
