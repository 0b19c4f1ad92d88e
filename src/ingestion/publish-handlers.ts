import { describeCause, type Log } from "#platform/log.ts";
import { encodeHandlersMessage, eventsPerMessageMax } from "#queue/handlers-message.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";

import type { ProcessWork } from "./process-work.ts";

/** Events whose handlers are to run at the same time. */
export interface HandlersToPublish {
  eventIds: readonly number[];
  delayMs: number;
  /** The id of the replay that they belong to. */
  replay: string | null;
}

export interface PublishHandlersOptions {
  publisher: MessagePublisher;
  /** Tells whether the process was asked to stop. */
  work: Pick<ProcessWork, "stopping">;
  newId: () => string;
  log: Log;
}

const patient = { attempts: 2, timeoutMs: 3_000 };
/** A process that stops while the queue is down must not wait for it: maintenance finds the events. */
const hurried = { attempts: 1, timeoutMs: 1_000 };
/** Of the queue, for a message that meets an outage or a full server. */
const queueRetries = 3;

/**
 * Publishes the messages that let the queue call the route `handlers` for these events, one for each 200 of them. Resolves
 * with the ids of events whose message the queue did not accept: maintenance will find those. Never rejects.
 */
export async function publishHandlers(
  { eventIds, delayMs, replay }: HandlersToPublish,
  options: PublishHandlersOptions,
): Promise<number[]> {
  const failed: number[] = [];
  for (let start = 0; start < eventIds.length; start += eventsPerMessageMax) {
    const ids = eventIds.slice(start, start + eventsPerMessageMax);
    if (!(await publish(encodeHandlersMessage({ eventIds: ids, replay }), delayMs, options))) failed.push(...ids);
  }
  return failed;
}

async function publish(
  body: string,
  delayMs: number,
  { publisher, work, newId, log }: PublishHandlersOptions,
): Promise<boolean> {
  const { attempts, timeoutMs } = work.stopping.aborted ? hurried : patient;
  const message = { to: "handlers" as const, body, delayMs, label: "handlers", retries: queueRetries };
  const deduplicationId = newId();
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    try {
      const { messageId } = await publisher.publish({ ...message, deduplicationId }, timeoutMs);
      log.debug("handlers.requested", { requestId: messageId, delayMs });
      return true;
    } catch (thrown) {
      log.warn("handlers.publish_failed", { attempt, ...describeCause(thrown) });
    }
  }
  return false;
}
