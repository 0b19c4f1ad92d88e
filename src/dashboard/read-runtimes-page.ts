import { type RuntimeComparison, windowEndingAt } from "#measurements/runtime-comparison.ts";
import type { Verdict } from "#measurements/verdict-types.ts";
import { verdictOf } from "#measurements/verdict.ts";
import type { Database } from "#store/database.ts";

import { type AckPart, readAckParts } from "./read-ack-parts.ts";
import { readProbePairs } from "./read-probe-pairs.ts";
import { type ComparisonOptions, type ComparisonQuery, readRuntimes } from "./read-runtimes.ts";

/** Everything on the page "Edge and Node". */
export interface RuntimesPage {
  comparison: RuntimeComparison;
  parts: AckPart[];
  /** On the pairs that began cold, beside the comparison's on the warm ones; null if only one kind is asked for or none was cold. */
  coldVerdict: Verdict | null;
}

/** Reads the page for a query. Rejects with the driver's error. */
export async function readRuntimesPage(
  db: Database,
  query: ComparisonQuery,
  options: ComparisonOptions,
): Promise<RuntimesPage> {
  // First, because it rolls up what the parts are read from.
  const comparison = await readRuntimes(db, query, options);
  const [parts, coldVerdict] = await Promise.all([
    readAckParts(db, query.window, query, options.nowMs),
    query.cold === "all" ? readColdVerdict(db, query, options) : null,
  ]);
  return { comparison, parts, coldVerdict };
}

async function readColdVerdict(
  db: Database,
  { window, region, deployment }: ComparisonQuery,
  { nowMs, isEmulated }: ComparisonOptions,
): Promise<Verdict | null> {
  const { fromMs } = windowEndingAt(window, nowMs);
  const pairs = await readProbePairs(db, { fromMs, region, deployment });
  const verdict = verdictOf(pairs, { nowMs, isEmulated, start: "cold" });
  return verdict.pairs === 0 ? null : verdict;
}
