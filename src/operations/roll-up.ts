import { encodeBuckets, isEncoding, mergeEncodedBuckets } from "#measurements/bucket-bytes.ts";
import type { Series } from "#measurements/figures.ts";
import type { Measurement } from "#measurements/measurement.ts";
import { sumFigures } from "#measurements/sum-figures.ts";
import { type Clock, settleWithin } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";
import type { Database } from "#store/connection/database.ts";
import type { FigureToAdd, MergeBuckets } from "#store/figures/add-figures.ts";
import { rollUpStep, rowsPerRollUp } from "#store/figures/roll-up.ts";

function sumUp(measurements: readonly Measurement[], known: readonly Series[]): FigureToAdd[] {
  return sumFigures(measurements, known).map(({ histogram, ...figure }) => ({
    ...figure,
    histogram: histogram && { ...histogram, buckets: encodeBuckets(histogram.buckets) },
  }));
}

/** A stored histogram that is damaged begins anew: else it would stop all roll-ups. */
function createMerge(log: Log | undefined): MergeBuckets {
  return ([stored, added], { tier, atMs, count: _count, histogram: _histogram, ...series }) => {
    if (isEncoding(stored)) return mergeEncodedBuckets([stored, added]);
    log?.error("figures.damaged", {
      tier,
      damaged: 1,
      figures: [`${JSON.stringify(series)} ${new Date(atMs).toISOString()}`],
    });
    return added;
  };
}

/**
 * Adds measurements to the figures, in steps, until none is left, another call is at it, or `deadlineMs` of the monotonic
 * clock has passed; resolves with how many. Throws `STORE_UNAVAILABLE`; each step that has ended stays.
 */
export async function rollUp(db: Database, clock: Clock, deadlineMs: number, log?: Log): Promise<number> {
  const summing = { sumUp, mergeBuckets: createMerge(log) };
  let sum = 0;
  for (let count = rowsPerRollUp; count === rowsPerRollUp && clock.monotonicMs() < deadlineMs; sum += count) {
    count = await rollUpStep(db, summing);
  }
  return sum;
}

export interface RollUpOptions {
  /** Connections that write. Throws `ENV_INVALID`. */
  openDatabase: () => Database;
  clock: Clock;
  log: Log;
}

/** For one read of the figures, or one call with reports. */
const limitMs = 1_000;
/** A step that begins later may not end within the limit. */
const stepsMs = 500;
/** Reports come with every tenth delivery: one roll-up in so long is enough for them. */
const everyMs = 10_000;

export interface RollUps {
  /** Rolls up for at most a second. Never rejects: what is not rolled up counts all the same where figures are read. */
  now: () => Promise<void>;
  /** The same, but at most once in ten seconds. */
  nowAndThen: () => Promise<void>;
}

/** Creates the short roll-ups of a process, which go on between those of maintenance. */
export function createRollUps({ openDatabase, clock, log }: RollUpOptions): RollUps {
  let dueAt = -Infinity;
  const now = async () => {
    dueAt = clock.monotonicMs() + everyMs;
    try {
      await settleWithin(clock, limitMs, rollUp(openDatabase(), clock, clock.monotonicMs() + stepsMs, log));
    } catch (thrown) {
      log.warn("figures.roll_up_failed", describeCause(thrown));
    }
  };
  return {
    now,
    nowAndThen: async () => {
      if (clock.monotonicMs() >= dueAt) await now();
    },
  };
}
