import type { RuntimeComparison } from "#measurements/runtime-comparison.ts";
import type { Verdict } from "#measurements/verdict-types.ts";
import type { Database } from "#store/connection/database.ts";

import { type AckPart, readAckParts } from "./read-ack-parts.ts";
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
  const parts = await readAckParts(db, query.window, query, options.nowMs);
  return { comparison, parts, coldVerdict: query.cold === "all" ? comparison.otherStart : null };
}
