/** One batch on its way, encoded. */
export interface BatchToPublish {
  body: Uint8Array<ArrayBuffer>;
  /** Equal for every attempt at the same batch, so that one whose response was lost does not become two. */
  deduplicationId: string;
  traceparent: string | null;
}

/** The answer of the side that took a batch. `messageId`: QStash's id of it. */
export type Acceptance = { status: number; messageId?: string };

export interface Publisher {
  /**
   * One attempt to hand over a batch, to QStash or past it. Settles within `timeoutMs`. Rejects with a `ForwardError` if
   * the other side refused, with a `TimeoutError` if it was silent, and with anything else if it could not be reached.
   */
  publish(batch: BatchToPublish, timeoutMs: number): Promise<Acceptance>;
}
