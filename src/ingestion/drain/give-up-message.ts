import type { DeadBatch } from "#platform/dead-batch.ts";
import type { RelayError } from "#platform/errors.ts";
import { describeDeadBatch } from "#queue/dead-batch.ts";
import { decodeHandlersMessage } from "#queue/handlers-message.ts";
import type { QueueCall } from "#queue/queue-call.ts";
import type { QueueRoute } from "#queue/queue-route.ts";

export interface GiveUpMessageOptions {
  /** Keeps the dead letter of a batch. */
  save: (letter: DeadBatch) => Promise<unknown>;
  /** Notes that no message is under way for these events, so that maintenance publishes one. */
  release: (eventIds: readonly number[]) => Promise<void>;
  /** The address that dead letters name: where the relay takes messages. */
  url: string;
  deployment: string | null;
}

/**
 * Takes note of a message that the drain gives up: a batch becomes a dead letter with all its bytes. A message to run
 * handlers is none: its events are still open here; neither is one to maintenance. Throws `STORE_UNAVAILABLE`.
 */
export async function giveUpMessage(
  { body, bytes, messageId, retried, atMs }: QueueCall,
  route: QueueRoute,
  error: RelayError | null,
  { save, release, url, deployment }: GiveUpMessageOptions,
): Promise<void> {
  if (route === "handlers") return releaseEvents(body, release);
  if (route === "maintenance") return;
  const letter = describeDeadBatch(
    {
      dlqId: null,
      messageId: messageId ?? "",
      url,
      status: error?.status ?? 0,
      answer: JSON.stringify({ error: { code: error?.code } }),
      retried: error === null ? retried - 1 : retried,
      body: bytes,
      isWhole: true,
      deployment,
    },
    atMs,
  );
  // The bytes are here alone.
  await save({ ...letter, expiresAtMs: null });
}

/** Of a message that is not valid nothing is known; maintenance finds its events when their time is over. */
async function releaseEvents(body: string, release: GiveUpMessageOptions["release"]): Promise<void> {
  let eventIds: readonly number[];
  try {
    ({ eventIds } = decodeHandlersMessage(body));
  } catch {
    return;
  }
  await release(eventIds);
}
