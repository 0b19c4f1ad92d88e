/** One batch on its way, encoded. */
export interface Publication {
  body: Uint8Array<ArrayBuffer>;
  /** Equal for every attempt at the same message, so that one whose response was lost does not become two. */
  deduplicationId: string;
  traceparent: string | null;
}

/** The answer of who took it. `messageId`: the queue's id of it. */
export type Acceptance = { status: number; messageId?: string };

export interface Publisher {
  /**
   * One attempt to hand a batch on, to the queue or past it. Settles within `timeoutMs`. Rejects with a `RelayError` if
   * the other side refused, with a `TimeoutError` if it was silent, and with anything else if it could not be reached.
   */
  publish(publication: Publication, timeoutMs: number): Promise<Acceptance>;
}
