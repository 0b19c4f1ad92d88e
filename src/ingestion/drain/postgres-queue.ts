import { type Clock, settleWithin } from "#platform/clock.ts";
import { TimeoutError } from "#platform/bounded-fetch.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";
import type { PulledMessage, PulledQueue } from "#queue/pulled-queue.ts";
import { type QueueRoute, queueRoutes } from "#queue/queue-route.ts";
import type { Database } from "#store/database.ts";
import { drainMs } from "./drain-run.ts";
import { deleteMessage, enqueueMessage, releaseMessage, takeMessages } from "#store/queue-messages.ts";

export interface PostgresQueueOptions {
  db: Database;
  clock: Clock;
}

/** The table of messages as a queue to be drained. */
export function createPostgresQueue({ db, clock }: PostgresQueueOptions): PulledQueue {
  return {
    async take(countMax, leaseMs, timeoutMs) {
      const taken = await within(clock, timeoutMs, takeMessages(db, countMax, leaseMs));
      return taken.filter((message): message is PulledMessage => isRoute(message.route));
    },
    acknowledge: ({ receipt }, timeoutMs) => within(clock, timeoutMs, deleteMessage(db, receipt)),
    giveBack: ({ receipt }, delayMs, timeoutMs, isUncounted = false) =>
      within(clock, timeoutMs, releaseMessage(db, receipt, delayMs, isUncounted)),
  };
}

function isRoute(route: string): route is QueueRoute {
  return (queueRoutes as readonly string[]).includes(route);
}

export interface TableMessagesOptions extends PostgresQueueOptions {
  /** Called once a message is committed that is due while a drain may run. */
  wake: () => void;
}

/** Publishes the relay's own messages into the table. */
export function createTableMessages({ db, clock, wake }: TableMessagesOptions): MessagePublisher {
  return {
    async publish({ to, body, flowControl, deduplicationId = null, label, ...given }, timeoutMs) {
      const delayMs = given.delayMs ?? flowControl?.delayMs ?? 0;
      const bytes = new TextEncoder().encode(body);
      const message = { route: to, body: bytes, delayMs, deduplicationId, label };
      const messageId = await within(clock, timeoutMs, enqueueMessage(db, message));
      if (delayMs < drainMs) wake();
      return { messageId };
    },
  };
}

/** The statement may still be carried out after the `TimeoutError`. */
async function within<T>(clock: Clock, timeoutMs: number, work: Promise<T>): Promise<T> {
  const settled = await settleWithin(
    clock,
    timeoutMs,
    work.then((value) => ({ value })),
  );
  if (settled === undefined) throw new TimeoutError(`Postgres did not answer within ${timeoutMs} ms`);
  return settled.value;
}
