import { mergeEncodedBuckets } from "#measurements/bucket-bytes.ts";
import { splitFrames } from "#measurements/framed-encodings.ts";
import type { Clock } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";
import { type SummedInterval, sumRegionsStep } from "#store/figures/sum-regions.ts";

const summing = { splitFrames, mergeBuckets: mergeEncodedBuckets };

/**
 * Sums up figures over regions, one interval after the other, until all that have ended are summed up, figures change
 * elsewhere, or `deadlineMs` of the monotonic clock has passed; resolves with how many. Intervals with a damaged figure are
 * passed over. Throws `STORE_UNAVAILABLE`; each step that has ended stays.
 */
export async function sumRegions(db: Database, clock: Clock, deadlineMs: number): Promise<number> {
  const passed: SummedInterval[] = [];
  let summed = 0;
  while (clock.monotonicMs() < deadlineMs) {
    const step = await sumRegionsStep(db, summing, { nowMs: clock.nowMs(), passed });
    if (step === undefined) break;
    if (step.isSummed) summed += 1;
    else passed.push(step.interval);
  }
  return summed;
}
