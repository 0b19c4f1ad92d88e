/** What a plan of QStash's allows. `null`: no limit. */
export interface Limits {
  /** The most that `Upstash-Retries` may ask for. */
  retriesMax: number;
  messageBytesMax: number;
  delayMsMax: number;
  /** The longest one attempt may take; `Upstash-Timeout` only shortens it. */
  attemptMsMax: number;
  messagesPerDay: number | null;
  /** Requests a second to everything but publish, enqueue and batch. */
  requestsPerSecond: number | null;
}

/**
 * Retries, size and the length of an attempt as on Upstash's smallest plan: what works here works there. The daily
 * quota and the burst limit are off, since a load test would only measure them.
 */
export const defaultLimits: Limits = {
  retriesMax: 5,
  messageBytesMax: 1024 * 1024,
  delayMsMax: 365 * 86_400_000,
  attemptMsMax: 15 * 60_000,
  messagesPerDay: null,
  requestsPerSecond: null,
};
