/** One QStash message to be. */
export interface Publication {
  body: Uint8Array<ArrayBuffer>;
  /** Equal for every attempt at the same message, so that one whose response was lost does not become two. */
  deduplicationId: string;
  traceparent: string | null;
}

export interface Publisher {
  /**
   * One attempt to hand a message to the queue; resolves with the queue's id of it. Settles within `timeoutMs`; rejects
   * with a `RelayError` of one of the `PUBLISH_…` codes.
   */
  publish(publication: Publication, timeoutMs: number): Promise<{ messageId: string }>;
}
