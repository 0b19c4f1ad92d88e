import type { EventKind } from "#instagram/events.ts";

/**
 * An event whose handler may run until the lease ends. If `deaths` is 2 or more, the handler has ended the process twice:
 * it must not run again, and the event is settled as dead.
 */
export interface LeasedEvent {
  id: number;
  /** The number of the lease: a result is stored only under it. */
  fence: number;
  /** 1 for the first. */
  attempt: number;
  /** Leases of it that ended without a result, by the end of the process. */
  deaths: number;
  key: string;
  kind: EventKind;
  accountId: string;
  senderId: string | null;
  recipientId: string | null;
  occurredAt: Date | null;
  sentAt: Date | null;
  standby: boolean;
  test: boolean;
  drifted: boolean;
  /** JSON text. */
  data: string;
  /** Account and other side: events of one conversation are handled one after another. Null if it belongs to none. */
  conversation: string | null;
  /** Of the delivery that brought the event. */
  deliveryId: string;
  batchIndex: number;
  replay: ReplayContext | null;
}

/** The replay for which an event is handled. */
export interface ReplayContext {
  id: string;
  mode: "unfinished" | "again";
  reason: string;
}

/** How a lease ended. */
export interface HandlerResult {
  event: LeasedEvent;
  /** When the handler started, in ms since the epoch, and how long it took. */
  atMs: number;
  ms: number;
  /**
   * `handled`: it succeeded. `failed`: it is tried again after `retryInMs`. `dead`: it is not tried again. `released`: it
   * was not begun, so the attempt does not count.
   */
  outcome: "handled" | "failed" | "dead" | "released";
  error?: HandlerFailure;
  /** From the settlement on, by Postgres's clock; without it at once. */
  retryInMs?: number;
  /** A message that will try it is under way for so long from the settlement on; the sweep leaves it alone until then. */
  queuedForMs?: number;
}

/** What is stored of a handler's error; nothing of it may hold a customer's words unless the error says so. */
export interface HandlerFailure {
  name: string;
  code: string | null;
  /** Only if the error says that it may be shown. */
  message: string | null;
  frames: string[];
  /** Equal for errors of one cause, see `deadLetterGroups`. */
  fingerprint: string;
}
