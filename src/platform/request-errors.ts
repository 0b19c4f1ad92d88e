import { requestErrors as edgeErrors } from "./edge-errors.ts";

/**
 * Everything that can go wrong with a request to us, with the status that the caller gets. Duplicates, unknown kinds and
 * empty deliveries are outcomes, not errors. What can go wrong with our own requests is in forward-error.ts. The edge loads
 * edge-errors.ts instead, by the condition of `#request-errors` in package.json: about 100 bytes of gzip less.
 */
export const requestErrors = {
  ...edgeErrors,
  UNAUTHORIZED: 401,
  // The token is valid, and its role does not suffice.
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  NOT_FOUND: 404,
  EXPERIMENT_RUNNING: 409,
  // An operator's request needs the queue.
  QSTASH_UNAVAILABLE: 503,
  // The same for another queue; and what a delivery needs of the queue, such as the keys that its tokens are signed with.
  QUEUE_UNAVAILABLE: 503,
  // What was asked for does not fit the state that something is in, such as the start of a replay that has ended.
  CONFLICT: 409,
  // A backfill needs Instagram's API.
  INSTAGRAM_API_REFUSED: 502,
  // The queue cannot hold batches back, or not as it is set up.
  NOT_PAUSABLE: 409,
  // The relay's own webhook did not answer a test delivery with 200.
  TEST_NOT_ACCEPTED: 502,
  // With this status and a header of its own QStash does not deliver a message again.
  // https://upstash.com/docs/qstash/features/retry
  BATCH_INVALID: 489,
  // A newer release published it and will read it: the queue is to deliver it again.
  BATCH_VERSION_UNKNOWN: 503,
  STORE_UNAVAILABLE: 503,
  // The queue is to deliver the batch later: the database or the handlers have no room.
  OVERLOADED: 503,
  // `next start` is shutting down.
  STOPPING: 503,
} as const satisfies Record<string, number>;
