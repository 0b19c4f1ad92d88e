import * as v from "valibot";

import { burstPairs, gapMsOf } from "#measurements/probe-budget.ts";
import { readSentPairs } from "#store/probe-pairs.ts";

import { type Probing, sendOwnBurst } from "./probing.ts";

/** What the part remembers from one call to the next. */
export const probesState = v.object({ nextAt: v.pipe(v.string(), v.isoTimestamp()) });

/**
 * Maintenance's part: sends a burst if one is due and the day's budget allows it, and draws when the next is due. Counted
 * from when this one was due, because maintenance comes later than that; what was missed is not made up for. Throws
 * `STORE_UNAVAILABLE`.
 */
export async function runProbes(probing: Probing, deadlineMs: number, last: unknown): Promise<Record<string, unknown>> {
  const { db, vantage, pairsPerDay, clock, random } = probing;
  if (pairsPerDay === 0) return { off: true };
  const nowMs = clock.nowMs();
  const latestMs = nowMs + gapMsOf(pairsPerDay, lastDraw);
  // A time that is further off was drawn for another budget.
  const dueAtMs = Math.min(latestMs, v.is(probesState, last) ? Date.parse(last.nextAt) : nowMs);
  if (nowMs < dueAtMs) return { sent: 0, nextAt: new Date(dueAtMs).toISOString() };
  const { count } = await readSentPairs(db, vantage, nowMs);
  const nextAt = new Date(Math.max(nowMs, dueAtMs + gapMsOf(pairsPerDay, random()))).toISOString();
  const pairs = Math.min(burstPairs, pairsPerDay - count);
  if (pairs <= 0) return { sent: 0, sentToday: count, nextAt };
  const burst = await sendOwnBurst(pairs, deadlineMs, probing);
  return { sent: burst.pairs.length, sentToday: count + burst.pairs.length, failure: burst.failure, nextAt };
}

/** The largest that a random number is. */
const lastDraw = 1 - Number.EPSILON;
