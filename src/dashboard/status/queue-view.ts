import type { QueueCapabilities } from "#queue/capabilities.ts";

/** What pages say and promise of the queue. */
export interface QueueView extends Pick<
  QueueCapabilities,
  "title" | "inStore" | "push" | "deadLetters" | "attemptLog"
> {
  /** Why it cannot be paused, and what to do instead; null if it can. */
  noPause: string | null;
  /** Where it shows its log of messages; null for none. */
  logHref: string | null;
}
