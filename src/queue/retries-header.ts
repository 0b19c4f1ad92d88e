/** Of a message of the relay to itself: how often a failed delivery of it is repeated, where the queue has no such setting. */
export const retriesHeader = "x-relay-retries";

/** A small whole number in a header; undefined if it has another form. */
export function readCount(header: string | null): number | undefined {
  return /^\d{1,6}$/.test(header ?? "") ? Number(header) : undefined;
}
