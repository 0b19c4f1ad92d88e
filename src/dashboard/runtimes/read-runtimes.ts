import * as v from "valibot";

import { clockSkewsOf } from "#measurements/clock-skews.ts";
import type { DamagedFigure } from "#measurements/framed-encodings.ts";
import {
  type ComparisonFilter,
  type RuntimeComparison,
  starts,
  windowEndingAt,
  windowNames,
  type WindowName,
} from "#measurements/runtime-comparison.ts";
import { summarizeRuntime } from "#measurements/summarize-runtime.ts";
import { runtimes } from "#platform/delivery.ts";
import type { Log } from "#platform/log.ts";
import type { Database } from "#store/connection/database.ts";

import { oneOf, parseQuery, plainText } from "../lists/query-parameters.ts";
import { readFigures } from "./read-figures.ts";
import { readVerdict } from "./read-verdict.ts";

export const comparisonQuery = v.object({
  window: v.optional(oneOf(windowNames), "1h"),
  region: v.optional(plainText),
  deployment: v.optional(plainText),
  cold: v.optional(oneOf(starts), "all"),
});

export interface ComparisonQuery extends ComparisonFilter {
  window: WindowName;
}

/** Reads the query of `/api/ops/runtimes`; throws `REQUEST_INVALID`. */
export function parseComparison(params: URLSearchParams): ComparisonQuery {
  const { region = null, deployment = null, ...query } = parseQuery(comparisonQuery, params);
  return { ...query, region, deployment };
}

export interface ComparisonOptions {
  nowMs: number;
  /** Whether the edge is Next's emulation, on a server outside Vercel: then no verdict is given. */
  isEmulated: boolean;
  /** Rolls up for a moment, so that little is left to be summed up here. Never rejects. */
  rollUp: () => Promise<void>;
  log: Log;
}

/** The edge–Node comparison over the deliveries received in the window that ends now; the verdict is of probes. */
export async function readRuntimes(
  db: Database,
  { window: name, region, deployment, cold }: ComparisonQuery,
  { nowMs, isEmulated, rollUp, log }: ComparisonOptions,
): Promise<RuntimeComparison> {
  await rollUp();
  const window = windowEndingAt(name, nowMs);
  const filter = { region, deployment, cold };
  const start = cold === "cold" ? "cold" : "warm";
  const [{ figures, damaged, regions, deployments }, judged] = await Promise.all([
    readFigures(db, window, filter),
    readVerdict(db, { ...window, region, deployment, start, isEmulated, nowMs }),
  ]);
  if (damaged.length > 0) log.error("figures.damaged", describeDamaged(window.tier, damaged));
  return {
    window: { from: new Date(window.fromMs).toISOString(), to: new Date(window.toMs).toISOString(), ...filter },
    runtimes: runtimes.map((runtime) => summarizeRuntime(runtime, figures, window)),
    regions,
    deployments: deployments.map(({ id, firstSeenMs }) => ({ id, firstSeenAt: new Date(firstSeenMs).toISOString() })),
    skew: clockSkewsOf(figures),
    verdict: judged.verdict,
    otherStart: judged.otherStart,
    arePairsCut: judged.arePairsCut,
    damaged: damaged.length,
    emulated: isEmulated,
  };
}

const namedMax = 10;

/** The keys of the first damaged figures, by which an operator finds them. */
function describeDamaged(tier: string, damaged: readonly DamagedFigure[]) {
  const named = damaged.slice(0, namedMax);
  return {
    tier,
    damaged: damaged.length,
    figures: named.map(({ seriesId, atMs }) => `${seriesId} ${new Date(atMs).toISOString()}`),
  };
}
