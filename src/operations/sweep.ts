import { describeCause } from "#platform/log.ts";
import { encodeHandlersMessage, eventsPerMessageMax } from "#queue/handlers-message.ts";
import { releaseDueEvents, takeDueEvents } from "#store/handling/open-work.ts";

import { type Operations, publishTimeoutMs } from "./operations.ts";

/** In one step; the next one takes more. */
const eventsMax = 4_000;
/** A queue's retries of a message end within so long, unless it is down. */
const queuedMs = 10 * 60_000;

/**
 * Publishes the open events that are due and that no message is under way for: the message was lost, or could not be
 * published, or the process died. Stops at the first refusal of the queue; the rest stays due.
 */
export async function sweep({ db, publisher, log, clock }: Operations, deadlineMs: number) {
  let published = 0;
  let messages = 0;
  const due = await takeDueEvents(db, { limit: eventsMax, queuedMs });
  const waiting = due.flatMap(({ replayId, eventIds }) => toMessages(eventIds, replayId));
  while (waiting.length > 0 && clock.monotonicMs() < deadlineMs) {
    const [message] = waiting;
    if (message === undefined) break;
    try {
      const body = encodeHandlersMessage(message);
      await publisher.publish({ to: "handlers", body, label: "handlers", retries: 3 }, publishTimeoutMs);
    } catch (thrown) {
      log.warn("handlers.publish_failed", { events: message.eventIds.length, ...describeCause(thrown) });
      break;
    }
    waiting.shift();
    messages += 1;
    published += message.eventIds.length;
  }
  const left = waiting.flatMap(({ eventIds }) => eventIds);
  if (left.length > 0) await releaseDueEvents(db, left);
  return { published, messages, left: left.length };
}

function toMessages(eventIds: readonly number[], replay: string | null) {
  return Array.from({ length: Math.ceil(eventIds.length / eventsPerMessageMax) }, (_, index) => ({
    eventIds: eventIds.slice(index * eventsPerMessageMax, (index + 1) * eventsPerMessageMax),
    replay,
  }));
}
