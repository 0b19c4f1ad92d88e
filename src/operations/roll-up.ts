import { sumFigures } from "#measurements/sum-figures.ts";
import type { Clock } from "#platform/clock.ts";
import type { Database } from "#store/database.ts";
import { rollUpStep, rowsPerRollUp } from "#store/roll-up.ts";

/**
 * Adds measurements to the figures, in steps, until none is left, another call is at it, or `deadlineMs` of the monotonic
 * clock has passed; resolves with how many. Throws `STORE_UNAVAILABLE`; each step that has ended stays.
 */
export async function rollUp(db: Database, clock: Clock, deadlineMs: number): Promise<number> {
  let sum = 0;
  for (let count = rowsPerRollUp; count === rowsPerRollUp && clock.monotonicMs() < deadlineMs; sum += count) {
    count = await rollUpStep(db, sumFigures);
  }
  return sum;
}
