/** Milliseconds since the epoch, as Postgres computes them. */
export type Millis = number | null;

/** As ISO 8601; null for null. */
export function isoOf(ms: Millis): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
