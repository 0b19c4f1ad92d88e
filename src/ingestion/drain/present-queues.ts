import type { DrainedQueue } from "./drain-messages.ts";

/** Without those whose variables are not set. */
export function presentQueues(...queues: readonly (DrainedQueue | null)[]): DrainedQueue[] {
  return queues.filter((queue) => queue !== null);
}
