import type { EventKind, Json } from "#instagram/events.ts";
import type { Log } from "#platform/log.ts";

/** One stored event as a handler sees it. */
export interface HandlerEvent<Kind extends EventKind = EventKind> {
  /** The row's id in `events`. */
  id: number;
  /** Unique to this event for ever: use it as the idempotency key of what you do elsewhere. */
  key: string;
  kind: Kind;
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
  /** The item as Meta sent it; an integer beyond ±(2^53−1) is a string of the same digits. */
  data: Json;
}

export interface HandlerContext {
  deliveryId: string;
  /** 1 for the first. */
  attempt: number;
  /** Aborts when the handler's time is up: give it to every `fetch`. */
  signal: AbortSignal;
  /** Adds to a counter that the dashboard shows; takes effect if the handler succeeds. */
  count: (name: string, by?: number) => void;
  log: Log;
}

/** Throwing (or taking too long) means "again later": QStash delivers the batch again and only what failed is repeated. */
export type Handler<Kind extends EventKind = EventKind> = (
  event: HandlerEvent<Kind>,
  context: HandlerContext,
) => Promise<void> | void;

/** A function for every kind, so that a new kind does not compile until somebody has thought about it. */
export type Handlers = { readonly [Kind in EventKind]: Handler<Kind> };
