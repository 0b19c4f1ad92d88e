import { and, desc, eq, gte, type SQL } from "drizzle-orm";

import type { ProbePair } from "#measurements/verdict-types.ts";
import type { Database } from "#store/database.ts";
import { probePairs } from "#store/measurements-schema.ts";

/** The newest ones; so many tell the p95s apart to a hundredth. */
const pairsMax = 10_000;

export interface ProbePairFilter {
  fromMs: number;
  /** Of the edge's function; null for all. */
  region: string | null;
  deployment: string | null;
}

/** The newest probe pairs since a time, at most 10,000, as the verdict judges them. */
export async function readProbePairs(
  db: Database,
  { fromMs, region, deployment }: ProbePairFilter,
): Promise<ProbePair[]> {
  const conditions: SQL[] = [gte(probePairs.at, new Date(fromMs))];
  if (region !== null) conditions.push(eq(probePairs.regionEdge, region));
  if (deployment !== null) conditions.push(eq(probePairs.deployment, deployment));
  const { at, burst, edgeMs, nodeMs, cold, vantage } = probePairs;
  const rows = await db
    .select({ at, burst, edgeMs, nodeMs, cold, deployment: probePairs.deployment, vantage })
    .from(probePairs)
    .where(and(...conditions))
    .orderBy(desc(at))
    .limit(pairsMax);
  return rows.map(({ at: sentAt, edgeMs: edge, nodeMs: node, cold: start, ...row }) => ({
    ...row,
    atMs: sentAt.getTime(),
    edgeMs: edge ?? Infinity,
    nodeMs: node ?? Infinity,
    start: start === null || start === "none" ? "warm" : "cold",
  }));
}
