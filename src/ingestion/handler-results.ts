import { type Clock, sleep } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";
import { isStoreUnavailable } from "#store/connection/store-error.ts";
import type { HandlerResult } from "#store/handling/leased-event.ts";

import { addCount } from "./counters.ts";

export interface ResultToStore {
  result: HandlerResult;
  /** What the handler counted. */
  counts: ReadonlyMap<string, number>;
}

export interface HandlerResultsOptions {
  /** One statement; resolves with the ids of events whose lease another process had taken over. */
  settle: (results: HandlerResult[], counts: ReadonlyMap<string, number>) => Promise<{ lost: number[] }>;
  /** Called with what was stored. Never rejects. */
  onStored: (results: readonly HandlerResult[]) => Promise<void>;
  clock: Clock;
  log: Log;
}

/** The results of one run's handlers on their way into Postgres. */
export interface HandlerResults {
  /** They are stored within a second, together with others. */
  add(result: ResultToStore): void;
  /** Stores what was added. Never rejects: what could not be stored stays, and is tried again with the next. */
  store(): Promise<void>;
  /**
   * Stores the rest, and tries again for ten seconds while Postgres is down. Resolves with the numbers of results that
   * were lost to another process, and of those that could not be stored: their handlers run again after their lease.
   */
  finish(): Promise<{ lost: number; unsettled: number }>;
}

/** After a crash at most the successes of so long are repeated. */
const storeEveryMs = 1_000;
/** Together with the handlers' time and the storing of the batch it must fit into `maxDuration` of vercel.json. */
const finishLimitMs = 10_000;
const firstPauseMs = 100;
const pauseMsMax = 1_600;

export function createHandlerResults({ settle, onStored, clock, log }: HandlerResultsOptions): HandlerResults {
  let waiting: ResultToStore[] = [];
  /** What was sent without an answer, and may be stored. It goes again by itself: its counts must not be taken for others'. */
  let unsure: readonly ResultToStore[] = [];
  let storing: Promise<void> = Promise.resolve();
  let cancelTimer: (() => void) | null = null;
  const publishing: Promise<void>[] = [];
  let lost = 0;
  let unsettled = 0;
  let isFinishing = false;

  const write = async (entries: readonly ResultToStore[]): Promise<void> => {
    const results = entries.map(({ result }) => result);
    const counts = new Map<string, number>();
    for (const entry of entries) for (const [name, by] of entry.counts) addCount(counts, name, by);
    const { lost: lostIds } = await settle(results, counts);
    lost += lostIds.length;
    const isLost = new Set(lostIds);
    // Not awaited here: while the queue is slow, further results are to be stored.
    publishing.push(onStored(results.filter(({ event }) => !isLost.has(event.id))));
  };

  const send = async (entries: readonly ResultToStore[]) => {
    unsure = [];
    try {
      if (entries.length > 0) await write(entries);
    } catch (thrown) {
      log.warn("handlers.settle_failed", { results: entries.length, ...describeCause(thrown) });
      if (isStoreUnavailable(thrown)) unsure = entries;
      else await writeApart(entries);
    }
  };

  const storeWaiting = async () => {
    await send(unsure);
    if (unsure.length === 0) {
      const entries = waiting;
      waiting = [];
      await send(entries);
    }
    if (unsure.length > 0 && !isFinishing) storeLater();
  };

  /** One result that Postgres refuses must not cost the others theirs; its handler runs again after its lease. */
  const writeApart = async (entries: readonly ResultToStore[]) => {
    if (entries.length === 1) return void (unsettled += 1);
    for (const entry of entries) {
      try {
        await write([entry]);
      } catch (thrown) {
        if (isStoreUnavailable(thrown)) unsure = [...unsure, entry];
        else unsettled += 1;
        log.error("handlers.settle_failed", { eventId: entry.result.event.id, ...describeCause(thrown) });
      }
    }
  };
  const store = () => {
    cancelTimer?.();
    cancelTimer = null;
    storing = storing.then(storeWaiting);
    return storing;
  };

  const left = () => unsure.length + waiting.length;

  const storeLater = () => {
    cancelTimer ??= clock.after(storeEveryMs, () => void store());
  };

  return {
    store,
    add(result) {
      waiting.push(result);
      storeLater();
    },
    async finish() {
      isFinishing = true;
      await store();
      const deadline = clock.monotonicMs() + finishLimitMs;
      for (let pauseMs = firstPauseMs; left() > 0 && clock.monotonicMs() < deadline; pauseMs *= 2) {
        await sleep(clock, Math.min(pauseMs, pauseMsMax));
        await store();
      }
      await Promise.all(publishing);
      return { lost, unsettled: unsettled + left() };
    },
  };
}
