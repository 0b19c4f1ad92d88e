import type { QueueRoute } from "./queue-route.ts";

/** A message of the relay to one of its own routes. */
export interface OutgoingMessage {
  /** The route that takes it. */
  to: QueueRoute;
  body: string;
  /** When the queue delivers it, counted from now; at once unless given. Rounded up to whole seconds. */
  delayMs?: number;
  /** Equal for every attempt at the same message. Without a colon, which QStash refuses. */
  deduplicationId?: string;
  /**
   * `value` in QStash's form, for example `rate=10, period=60s`. A queue without it holds the message back for `delayMs`
   * instead, which comes to the same rate. https://upstash.com/docs/qstash/features/flowcontrol
   */
  flowControl?: { key: string; value: string; delayMs: number };
  label: string;
  /** Deliveries that the queue retries by itself. */
  retries: number;
}

export interface MessagePublisher {
  /**
   * One attempt. Settles within `timeoutMs`. Rejects with a `ForwardError` if the queue refused, with a `TimeoutError` if it was
   * silent, and with anything else if it could not be reached.
   */
  publish(message: OutgoingMessage, timeoutMs: number): Promise<{ messageId: string }>;
}
