import type { PulledMessage, PulledQueue } from "#queue/pulled-queue.ts";
import type { QueueTakings } from "#store/queue/queue-takings.ts";

/** While takings cannot be counted none gives a message up, and it comes again after five minutes at the latest. */
const retriedMax = 2;

/**
 * A queue that counts each taking, as one whose `retried` leaves out those that tell nothing of the message, which is what an
 * outage of Postgres does. Messages that come for the first time, as nearly all do, cost nothing; for the others the count is
 * kept in Postgres, so that a taking counts if Postgres could be used when it began, and is not given back uncounted. A first
 * taking that ends with its process is not counted.
 */
export function countOwnTakings(queue: PulledQueue, takings: QueueTakings): PulledQueue {
  /** Messages whose count is kept, of the takings that are under way. */
  const counted = new WeakSet<PulledMessage>();

  return {
    ...queue,
    async take(...given) {
      const messages = await queue.take(...given);
      const again = messages.filter(({ retried }) => retried > 0);
      if (again.length === 0) return messages;
      const counts = await takings.count(again.map(({ id }) => id)).catch(() => null);
      return messages.map((message) => {
        if (message.retried === 0) return message;
        const count = counts?.get(message.id);
        if (count === undefined) return { ...message, retried: Math.min(message.retried, retriedMax) };
        const own = { ...message, retried: count - 1 };
        counted.add(own);
        return own;
      });
    },
    async acknowledge(message, timeoutMs) {
      await queue.acknowledge(message, timeoutMs);
      // What cannot be deleted is, once it is old.
      if (counted.has(message)) await takings.forget(message.id).catch(() => {});
    },
    async giveBack(message, delayMs, timeoutMs, isUncounted = false) {
      await queue.giveBack(message, delayMs, timeoutMs, isUncounted);
      // Its count stays one too high or too low if Postgres is down by now.
      if (isUncounted && counted.has(message)) await takings.uncount(message.id).catch(() => {});
      if (!isUncounted && !counted.has(message)) await takings.count([message.id]).catch(() => {});
    },
  };
}
