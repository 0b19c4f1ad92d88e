import type { DrainedQueue, DrainMessagesOptions } from "./drain-messages.ts";

/** The right to drain, over all processes. Its calls reject if the store cannot be used. */
export interface DrainRights {
  /** Null if others drain, who will see what has come until now. `countMax`: places for messages, of which it may take some. */
  begin: (leaseMs: number, countMax: number) => Promise<DrainRight | null>;
  /**
   * The right to wait for messages to become due, for so long; null if another waits for as long, or nothing becomes due and
   * the caller is not sure that something may come.
   */
  beginWaiting: (untilMs: number, isSure: boolean) => Promise<WaitingRight | null>;
}

export interface DrainRight {
  /** Whether batches are held back, as of the last `keep`. */
  paused: boolean;
  /** Extends it; false if it was lost. What came before this is found by what is taken after it. */
  keep: (leaseMs: number) => Promise<boolean>;
  /** Null if something came since the last `keep`: then the drain goes on. Otherwise with when a next look is due. */
  end: () => Promise<{ dueInMs: number | null } | null>;
}

export interface WaitingRight {
  /** When a look is due, in milliseconds from now; null without a reason for one, undefined if another waits by now. */
  look: () => Promise<number | null | undefined>;
  end: () => Promise<void>;
}

export interface DrainOptions extends DrainMessagesOptions {
  queues: readonly DrainedQueue[];
  rights: DrainRights;
}

/** What one drain did. */
export interface Drained {
  taken: number;
  failed: number;
  /** Whether it left nothing behind that a drain after it could wait for. */
  isDone: boolean;
}

/** Nothing is taken later than this after the beginning; what is under way then may take as long again. */
export const drainMs = 50_000;
/** Calls for a look at the queues from within the process, which need no statement. */
export interface Nudges {
  /** Resolves at the next call, or at once if one came since the last `look`. */
  next: () => Promise<void>;
  /** Whether a call came since the last `look`. */
  arePending: () => boolean;
  /** The queues are looked at now. */
  look: () => void;
}

/** One drain under way. */
export interface Run extends Drained {
  options: DrainOptions;
  nudges: Nudges;
  startedAt: number;
  /** Until the end of its time. */
  leftMs: () => number;
  /** Whether it may take anything further. */
  goesOn: () => boolean;
  /** Called after an error that every message would meet. */
  giveUp: () => void;
  /** Messages that are being stored. */
  active: Set<Promise<unknown>>;
  /** Messages that are stored, and that their queue does not know of yet. */
  stored: Set<Promise<unknown>>;
  /** Handlers that run. */
  aside: Set<Promise<unknown>>;
  /** Queues that could not be used. */
  unusable: Set<DrainedQueue>;
  /** Queues that had nothing at the last look: a slow one holds up the others once for each look. */
  empty: Set<DrainedQueue>;
}

/** Its time begins now. */
export function createRun(options: DrainOptions, nudges: Nudges): Run {
  const { clock, stopping } = options;
  const startedAt = clock.monotonicMs();
  let hasGivenUp = false;
  const leftMs = () => startedAt + drainMs - clock.monotonicMs();
  return {
    options,
    nudges,
    startedAt,
    leftMs,
    goesOn: () => !hasGivenUp && !stopping.aborted && leftMs() > 0,
    giveUp: () => (hasGivenUp = true),
    active: new Set(),
    stored: new Set(),
    aside: new Set(),
    unusable: new Set(),
    empty: new Set(),
    taken: 0,
    failed: 0,
    isDone: false,
  };
}
