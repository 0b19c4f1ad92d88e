import { TimeoutError } from "#platform/bounded-fetch.ts";
import { type Clock, settleWithin } from "#platform/clock.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";
import type { PulledMessage, PulledQueue } from "#queue/pulled-queue.ts";
import { type QueueRoute, queueRoutes } from "#queue/queue-route.ts";
import type { Database } from "#store/connection/database.ts";
import { deleteMessages, enqueueMessage, releaseMessage } from "#store/queue/queue-messages.ts";
import { takeMessages, type TakenMessage } from "#store/queue/take-messages.ts";

import { createDealtWith } from "./dealt-with.ts";
import { drainMs } from "./drain-run.ts";

export interface PostgresQueueOptions {
  db: Database;
  clock: Clock;
}

/** The table of messages. What is dealt with is deleted by the statement that takes the next, or by the end of the drain. */
export interface PostgresQueue extends PulledQueue {
  /** The next takings are of these, which were taken with the right to drain. `areAll`: nothing else was due. */
  hold: (messages: readonly TakenMessage[], areAll: boolean) => void;
  /** Has a statement delete what is dealt with. */
  removeWith: <T>(send: (receipts: readonly string[]) => Promise<T>) => Promise<T>;
}

/** The table of messages as a queue to be drained. */
export function createPostgresQueue({ db, clock }: PostgresQueueOptions): PostgresQueue {
  const dealtWith = createDealtWith((receipts) => deleteMessages(db, receipts), clock);
  let held: PulledMessage[] = [];
  let heldAreAll = false;
  return {
    isExact: true,
    hold(messages, areAll) {
      held = messages.filter(hasRoute);
      heldAreAll = areAll;
    },
    removeWith: (send) => dealtWith.removeWith(send),
    async take(countMax, leaseMs, timeoutMs) {
      const first = held.slice(0, countMax);
      const left = countMax - first.length;
      const isEnough = left === 0 || (first.length > 0 && heldAreAll);
      const taken = isEnough
        ? []
        : await within(
            clock,
            timeoutMs,
            dealtWith.removeWith((receipts) => takeMessages(db, { countMax: left, leaseMs, dealtWith: receipts })),
          );
      held = held.slice(first.length);
      return [...first, ...taken.filter(hasRoute)];
    },
    acknowledge: ({ receipt }, timeoutMs) => within(clock, timeoutMs, dealtWith.add(receipt)),
    giveBack: ({ receipt }, delayMs, timeoutMs, isUncounted = false) =>
      within(clock, timeoutMs, releaseMessage(db, receipt, delayMs, isUncounted)),
  };
}

function hasRoute(message: TakenMessage): message is TakenMessage & PulledMessage {
  return isRoute(message.route);
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
