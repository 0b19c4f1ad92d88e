import { RelayError } from "#platform/errors.ts";

import type { QueueCapabilities } from "./capabilities.ts";

/** Holding batches back at the queue, while it accepts further ones. */
export interface QueuePause {
  /** Whether the queue can hold batches back, given the right variables. */
  isAble: boolean;
  /** Why batches cannot be held back, and what to do instead, in one sentence; null if they can. */
  obstacle: string | null;
  /** Whether batches are held back now, and how many wait for the pause or for their turn; null if that is unknown. */
  read(): Promise<{ paused: boolean; waiting: number | null }>;
  /** Holds batches back, or delivers them again. Safe to repeat. */
  change(paused: boolean): Promise<void>;
}

/** Why a queue cannot be paused, and what to do instead; null if it can. */
export function describeNoPause({ title, pause }: Pick<QueueCapabilities, "title" | "pause">): string | null {
  if (pause) return null;
  return `${title} cannot be paused: if handlers do harm, deploy them so that they throw, and replay their events later; while the store is down, batches wait at ${title} by themselves`;
}

/** Of a queue that cannot hold batches back: everything throws `NOT_PAUSABLE`, and says what to do instead. */
function createNoPause(obstacle: string): QueuePause {
  const refuse = () => Promise.reject(new RelayError("NOT_PAUSABLE", obstacle));
  return { isAble: false, obstacle, read: refuse, change: refuse };
}

/** The pause of the queue in use; one that refuses where it has none. Throws what `open` throws. */
export function openPauseOf(
  open: (() => QueuePause) | null,
  capabilities: Pick<QueueCapabilities, "title" | "pause">,
): QueuePause {
  return open?.() ?? createNoPause(describeNoPause(capabilities) ?? `${capabilities.title} cannot be paused`);
}
