import type { EventData } from "#instagram/data/event-data.ts";
import type { EventKind } from "#instagram/events.ts";

/** One stored event as a handler sees it. For a function of several kinds, looking at `kind` tells the type of `data`. */
export type HandlerEvent<Kind extends EventKind = EventKind> = {
  [K in Kind]: EventFacts & {
    kind: K;
    /**
     * The item as Meta sent it, with all that we do not know of too; an integer beyond ±(2^53−1) is a string of the same
     * digits. Its type holds unless `drifted`.
     */
    data: EventData[K];
  };
}[Kind];

/** What is known of an event of any kind. */
export interface EventFacts {
  /** The row's id in `events`. */
  id: number;
  /** Unique to this event for ever: use it as the idempotency key of what you do elsewhere. */
  key: string;
  accountId: string;
  senderId: string | null;
  recipientId: string | null;
  /** When it happened; null if Meta did not say. */
  occurredAt: Date | null;
  /** When Meta sent it; null if Meta did not say. */
  sentAt: Date | null;
  /** A copy of a conversation that another app has: do not answer it. */
  standby: boolean;
  /** From the dashboard's Test button. */
  test: boolean;
  /**
   * Meta sent something else than it used to: `data` is not of its type, and any part of it may be missing or another
   * thing. Read it as JSON, or leave it; `npm run relay -- drift` shows where it differs.
   */
  drifted: boolean;
}

export interface HandlerContext {
  deliveryId: string;
  /** 1 for the first. */
  attempt: number;
  /** Aborts when the handler's time is up: give it to every `fetch`. */
  signal: AbortSignal;
  /**
   * Adds a whole number, 1 by default, to a counter that the dashboard shows; takes effect if the handler succeeds.
   * Throws a `RangeError` for a name of more than 100 characters and for other numbers.
   */
  count: (name: string, by?: number) => void;
  log: HandlerLog;
}

export type HandlerLogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * Writes lines whose `event` is `handler.log`, with this name, these fields, and the delivery's and the event's ids. Any
 * name will do, `crm.sent` say. The log is no place for a customer's words: only short values are written.
 */
export interface HandlerLog {
  info(name: string, fields?: HandlerLogFields): void;
  warn(name: string, fields?: HandlerLogFields): void;
  error(name: string, fields?: HandlerLogFields): void;
}

/** An error whose message is written into the log: of others only the name and the stack's frames are. */
export class HandlerError extends Error {
  override readonly name = "HandlerError";
  readonly expose = true;
}

/** Throwing (or taking too long) means "again later": QStash delivers the batch again and only what failed is repeated. */
export type Handler<Kind extends EventKind = EventKind> = (
  event: HandlerEvent<Kind>,
  context: HandlerContext,
) => Promise<void> | void;

/** A function for every kind, so that a new kind does not compile until somebody has thought about it. */
export type Handlers = { readonly [Kind in EventKind]: Handler<Kind> };
