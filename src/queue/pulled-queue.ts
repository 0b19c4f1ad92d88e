import type { QueueRoute } from "./queue-route.ts";

/** A message taken from a queue that does not call the relay. It stays hidden from other takers until its lease ends. */
export interface PulledMessage {
  /** The queue's id of it. */
  id: string;
  /** What this taking of it is acknowledged and given back with. */
  receipt: string;
  route: QueueRoute;
  body: Uint8Array<ArrayBuffer>;
  /** How often it was taken before. */
  retried: number;
  /** Of the trace that it belongs to, where the queue carries it. */
  traceparent?: string | null;
}

/**
 * A queue that is drained: messages are taken for a while, and come again unless they are acknowledged. Each call settles
 * within `timeoutMs`, and rejects if the queue refused or could not be reached.
 */
export interface PulledQueue {
  /** Whether a taking that brings fewer messages than it asked for has brought all that were there. */
  isExact?: boolean;
  /** Takes up to `countMax` messages for `leaseMs`; resolves with none at once if there are none. */
  take(countMax: number, leaseMs: number, timeoutMs: number): Promise<PulledMessage[]>;
  /** The message is dealt with and does not come again. An old receipt changes nothing and is no error. */
  acknowledge(message: PulledMessage, timeoutMs: number): Promise<void>;
  /**
   * The message comes again after `delayMs`. An old receipt changes nothing and is no error. `isUncounted`: this taking tells
   * nothing of the message, and `retried` leaves it out. SQS cannot do that; `countOwnTakings` does it for it.
   */
  giveBack(message: PulledMessage, delayMs: number, timeoutMs: number, isUncounted?: boolean): Promise<void>;
}
