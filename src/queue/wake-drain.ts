import { type InternalCallOptions, postInternal } from "#platform/post-internal.ts";

/** Where a call wakes the drain of the pulled queues. */
export const drainPath = "/api/queue/drain";

/** Wakes the drain, as `QueuePublisher.wake` wants it: it never rejects, because a call that is lost costs minutes and no event. */
export function createWakeDrain(options: InternalCallOptions): (timeoutMs: number) => Promise<void> {
  return async (timeoutMs) => {
    try {
      await postInternal(new Uint8Array(0), timeoutMs, options);
    } catch {
      // Maintenance drains, too.
    }
  };
}
