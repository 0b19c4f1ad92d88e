import type { EventData } from "#instagram/data/event-data.ts";
import type { EventKind } from "#instagram/events.ts";

/** One stored event as a handler gets it. A function for several kinds tells the type of `data` by `kind`. */
export type HandlerEvent<Kind extends EventKind = EventKind> = {
  [K in Kind]: EventFacts & {
    kind: K;
    /**
     * The item as Meta sent it, unknown fields included; an integer beyond ±(2^53−1) is a string of the same digits. Its
     * type holds unless `drifted`.
     */
    data: EventData[K];
  };
}[Kind];

/** The facts about an event of any kind. */
export interface EventFacts {
  /** The row's id in `events`. */
  id: number;
  /** Unique to this event for ever: use it as the idempotency key of your requests to other systems. */
  key: string;
  accountId: string;
  senderId: string | null;
  recipientId: string | null;
  /** When it happened; null if Meta did not say. */
  occurredAt: Date | null;
  /** When Meta sent it; null if Meta did not say. */
  sentAt: Date | null;
  /** A copy of a conversation that another app conducts: do not answer it. */
  standby: boolean;
  /** From the dashboard's Test button. */
  test: boolean;
  /**
   * Meta sent something new: `data` is not of its type, and any part of it may be missing or different. Read it as JSON
   * or ignore it; `npm run relay -- drift` shows the differences.
   */
  drifted: boolean;
}

export interface HandlerContext {
  deliveryId: string;
  /** 1 for the first. */
  attempt: number;
  /** Aborts when the handler's time is over: pass it to every `fetch`. */
  signal: AbortSignal;
  /**
   * Adds a whole number, 1 by default, to a counter on the dashboard; takes effect if the handler succeeds.
   * Throws a `RangeError` for a name of more than 100 characters and for other numbers.
   */
  count: (name: string, by?: number) => void;
  log: HandlerLog;
}

export type HandlerLogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * Writes log lines whose `event` is `handler.log`, with this name, for example `crm.sent`, these fields, and the delivery's
 * and the event's ids. Only short values are written: a log must not hold a customer's words.
 */
export interface HandlerLog {
  info(name: string, fields?: HandlerLogFields): void;
  warn(name: string, fields?: HandlerLogFields): void;
  error(name: string, fields?: HandlerLogFields): void;
}

/** An error whose message is logged. Of other errors only the name and the stack's frames are. */
export class HandlerError extends Error {
  override readonly name = "HandlerError";
  readonly expose = true;
}

/** If it throws or takes too long, QStash delivers the batch again later, and only the failed handlers are repeated. */
export type Handler<Kind extends EventKind = EventKind> = (
  event: HandlerEvent<Kind>,
  context: HandlerContext,
) => Promise<void> | void;

/** A function for every kind, so that a new kind does not compile without one. */
export type Handlers = { readonly [Kind in EventKind]: Handler<Kind> };
