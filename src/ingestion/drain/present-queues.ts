import { RelayError } from "#platform/errors.ts";

import type { DrainedQueue } from "./drain-messages.ts";

/** Without those whose variables are not set. */
export function presentQueues(...queues: readonly (DrainedQueue | null)[]): DrainedQueue[] {
  return queues.filter((queue) => queue !== null);
}

/**
 * Null if the queue's variables are not set. Also if one is malformed: the other queues are drained all the same, and the
 * webhook and `doctor` refuse what the queue in use lacks.
 */
export function openIfSet(open: () => DrainedQueue): DrainedQueue | null {
  try {
    return open();
  } catch (thrown) {
    if (thrown instanceof RelayError && thrown.code === "ENV_INVALID") return null;
    throw thrown;
  }
}
