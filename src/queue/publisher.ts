/** One batch on its way, encoded. */
export interface BatchToPublish {
  body: Uint8Array<ArrayBuffer>;
  /** Equal for every attempt at the same batch, so that one whose response was lost does not become two. */
  deduplicationId: string;
  traceparent: string | null;
}

/** The answer of the side that took a batch. `messageId`: the queue's id of it. */
export type Acceptance = { status: number; messageId?: string };

export interface Publisher {
  /**
   * One attempt to hand over a batch, to the queue or past it. Settles within `timeoutMs`. Rejects with a `ForwardError` if
   * the other side refused, with a `TimeoutError` if it was silent, and with anything else if it could not be reached.
   */
  publish(batch: BatchToPublish, timeoutMs: number): Promise<Acceptance>;
}

/** The queue as the webhook uses it: one file for each that QUEUE can name. */
export interface QueuePublisher extends Publisher {
  /** Of one message's body. What is larger goes to the fallback. */
  bytesMax: number;
  /**
   * For a pulled queue: wakes the route that drains it, after it has accepted something. Ends soon after
   * `timeoutMs` and never rejects: a call that is lost costs the minutes until maintenance, and no event.
   */
  wake?: (timeoutMs: number) => Promise<void>;
}
