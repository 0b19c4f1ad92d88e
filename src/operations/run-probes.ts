import * as v from "valibot";

import { burstPairs, gapMsOf } from "#measurements/probe-budget.ts";
import { noEdge } from "#measurements/send-burst.ts";
import { readSentPairs } from "#store/figures/probe-pairs.ts";

import { type Probing, sendOwnBurst, withoutEdge } from "./probing.ts";

/** What the part remembers from one call to the next. */
export const probesState = v.object({
  nextAt: v.pipe(v.string(), v.isoTimestamp()),
  /** The build whose webhook runs on Node, null for one without a name; not there while the webhook runs on the edge. */
  noEdgeIn: v.optional(v.nullable(v.string())),
});

/**
 * Maintenance's part: sends a burst if one is due and the day's budget allows it, and draws when the next is due. Counted
 * from when this one was due, because maintenance comes later than that; what was missed is not made up for. A build without
 * an edge function is asked once a day, because its pairs would compare Node with itself. Throws `STORE_UNAVAILABLE`.
 */
export async function runProbes(probing: Probing, deadlineMs: number, last: unknown): Promise<Record<string, unknown>> {
  const { db, vantage, deployment, pairsPerDay, clock, random } = probing;
  if (pairsPerDay === 0) return { off: true };
  const nowMs = clock.nowMs();
  const state = v.is(probesState, last) ? last : null;
  const drawnMs = state === null ? nowMs : Date.parse(state.nextAt);
  if (state !== null && state.noEdgeIn === deployment && nowMs < drawnMs) return { ...state, sent: 0, failure: noEdge };
  // A time that is further off was drawn for another budget; another build may run on the edge.
  const latestMs = state?.noEdgeIn === undefined ? nowMs + gapMsOf(pairsPerDay, lastDraw) : nowMs;
  const dueAtMs = Math.min(latestMs, drawnMs);
  if (nowMs < dueAtMs) return { sent: 0, nextAt: new Date(dueAtMs).toISOString() };
  const { count } = await readSentPairs(db, vantage, nowMs);
  const nextAt = new Date(Math.max(nowMs, dueAtMs + gapMsOf(pairsPerDay, random()))).toISOString();
  const pairs = Math.min(burstPairs, pairsPerDay - count);
  if (pairs <= 0) return { sent: 0, sentToday: count, nextAt };
  const burst = await sendOwnBurst(pairs, deadlineMs, probing);
  if (!burst.hasEdge) return withoutEdge(probing);
  return { sent: burst.pairs.length, sentToday: count + burst.pairs.length, failure: burst.failure, nextAt };
}

/** The largest that a random number is. */
const lastDraw = 1 - Number.EPSILON;
