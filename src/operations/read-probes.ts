import * as v from "valibot";

import { budgetOf, type ProbeBudget } from "#measurements/probe-budget.ts";
import type { Database } from "#store/connection/database.ts";
import { readSentPairs } from "#store/figures/probe-pairs.ts";
import { type Canary, readCanaries } from "#store/figures/probe-reach.ts";
import { readParts } from "#store/operators/maintenance-parts.ts";

import { probesPart } from "./probing.ts";
import { probesState } from "./run-probes.ts";

export interface ProbeStatus {
  budget: ProbeBudget;
  /** Where the relay itself sends from, and how many pairs in the last 24 hours. */
  vantage: string;
  sentToday: number;
  /** When the next burst is due; null if none is. */
  nextAt: string | null;
  /** Outside Vercel the edge is Next's emulation: its times say nothing about Vercel's edge. */
  emulated: boolean;
  /** Whether the webhook runs on Node, so that there is nothing to compare and no pairs are sent. */
  withoutEdge: boolean;
  /** Those of the last day, the newest first. */
  canaries: Canary[];
}

export interface ProbeStatusOptions {
  db: Database;
  vantage: string;
  pairsPerDay: number;
  isEmulated: boolean;
  nowMs: number;
}

/** What probes cost, what was sent, and how far the canaries came. Throws `STORE_UNAVAILABLE`. */
export async function readProbes(options: ProbeStatusOptions): Promise<ProbeStatus> {
  const { db, vantage, pairsPerDay, isEmulated, nowMs } = options;
  const [{ count }, parts, canaries] = await Promise.all([
    readSentPairs(db, vantage, nowMs),
    readParts(db),
    readCanaries(db, nowMs),
  ]);
  const result = parts.find(({ name }) => name === probesPart)?.result;
  return {
    budget: budgetOf(pairsPerDay),
    vantage,
    sentToday: count,
    nextAt: pairsPerDay > 0 && v.is(probesState, result) ? result.nextAt : null,
    emulated: isEmulated,
    withoutEdge: v.is(probesState, result) && result.noEdgeIn !== undefined,
    canaries,
  };
}
