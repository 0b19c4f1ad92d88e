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
  /** When Meta sent it; null if Meta did not say, or did not send it: see `backfill`. */
  sentAt: Date | null;
  /** A copy of a conversation that another app conducts: do not answer it. */
  standby: boolean;
  /** From the Test button of Meta's dashboard, or sent by an operator, perhaps with a real person's ids: the handler must not send an answer. */
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
  /** The replay that runs this handler; null if it is not a replay. */
  replay: HandlerReplay | null;
  /**
   * Whether the event was read from Instagram's API by `relay backfill`, because its webhook never came: it may be hours or
   * days old, and Meta lets a business answer automatically within 24 hours only.
   */
  backfill: boolean;
  /** Aborts when the handler's time is over: pass it to every `fetch`. */
  signal: AbortSignal;
  /**
   * Adds a whole number, 1 by default, to a counter on the dashboard; takes effect if the handler succeeds.
   * Throws a `RangeError` for a name of more than 100 characters and for other numbers.
   */
  count: (name: string, by?: number) => void;
  log: HandlerLog;
  /** The relay's Postgres. */
  database: HandlerDatabase;
}

/** Why a handler runs again. `mode` is `again` if the event may have been handled before. */
export interface HandlerReplay {
  id: string;
  mode: "unfinished" | "again";
  /** As the operator gave it. */
  reason: string;
}

/** One statement with its values, as `$1`, `$2` and so on. Resolves with the rows. */
export type HandlerQuery = <Row extends object = Record<string, unknown>>(
  text: string,
  values?: readonly unknown[],
) => Promise<Row[]>;

/**
 * Access to the relay's Postgres for tables of your own; the relay's are in the schema `relay`. It uses at most half of
 * `DATABASE_POOL_MAX` connections, so that handlers cannot hold up ingestion. A statement may take five seconds, and all
 * end when the handler ends or its `signal` aborts. Rejects with Postgres's error.
 */
export interface HandlerDatabase {
  /** One statement, which is committed when the promise resolves. */
  query: HandlerQuery;
  /**
   * Commits when the promise of `work` resolves and rolls back when it rejects. Call nothing slow within: it holds a
   * connection.
   */
  transaction: <T>(work: (query: HandlerQuery) => Promise<T>) => Promise<T>;
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

/** What an error may say of itself. The same properties work on any error that a handler throws. */
export interface HandlerErrorOptions {
  cause?: unknown;
  /** A short name for what went wrong, for example `crm_down`: letters, digits, `_`, `.` and `-`. */
  code?: string;
  /** False: no further attempt; the event becomes a dead letter at once. */
  retryable?: boolean;
  /** When to call the handler again, instead of the usual delay; from one second to one day. */
  retryAfterMs?: number;
}

/** An error whose message is logged and stored. Of other errors only the name, the code and the stack's frames are. */
export class HandlerError extends Error {
  override readonly name = "HandlerError";
  readonly expose = true;
  readonly code: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, { code, retryable = true, retryAfterMs, ...options }: HandlerErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Called for each event. If it throws or takes too long it is called again later, up to `HANDLER_RETRIES` times, and other
 * events are not affected. Events of one conversation are handled one after another.
 */
export type Handler<Kind extends EventKind = EventKind> = (
  event: HandlerEvent<Kind>,
  context: HandlerContext,
) => Promise<void> | void;

/** A function for every kind, so that a new kind does not compile without one. */
export type Handlers = { readonly [Kind in EventKind]: Handler<Kind> };
