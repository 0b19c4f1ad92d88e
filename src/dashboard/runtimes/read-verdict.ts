import { type ProbeStart, startOf } from "#measurements/probe-start.ts";
import type { RuntimeComparison } from "#measurements/runtime-comparison.ts";
import type { ProbePair } from "#measurements/verdict-types.ts";
import { verdictOf } from "#measurements/verdict.ts";
import type { Database } from "#store/connection/database.ts";
import { readPairs, type StoredPair } from "#store/figures/probe-pairs.ts";
import { isWithoutEdge as isWithoutEdgeNow } from "#store/figures/probe-reach.ts";

/** Which pairs are judged. */
export interface VerdictFilter {
  fromMs: number;
  toMs: number;
  /** Of the edge's function; null for all. */
  region?: string | null;
  /** Null for the one that was probed last and has enough pairs. */
  deployment?: string | null;
  /** Of these starts; warm unless given. */
  start?: Exclude<ProbeStart, "mixed">;
  /** Outside Vercel: the figures are shown, and nothing is decided. */
  isEmulated: boolean;
  nowMs: number;
}

export type ReadVerdict = Pick<RuntimeComparison, "verdict" | "otherStart" | "arePairsCut">;

/**
 * Which runtime is faster, by the pairs of a window. A pair of which one function was warm and the other was not belongs to
 * neither verdict. Throws `STORE_UNAVAILABLE`.
 */
export async function readVerdict(
  db: Database,
  { fromMs, toMs, region = null, deployment = null, start = "warm", isEmulated, nowMs }: VerdictFilter,
): Promise<ReadVerdict> {
  const [{ pairs: stored, isCut }, isWithoutEdge] = await Promise.all([
    readPairs(db, { fromMs, toMs, region, deployment }),
    isWithoutEdgeNow(db),
  ]);
  const pairs = stored.flatMap(toJudged);
  const otherStart = start === "warm" ? "cold" : "warm";
  const judge = (of: "warm" | "cold") => verdictOf(pairs, { nowMs, isEmulated, isWithoutEdge, start: of });
  const hasOther = pairs.some((pair) => pair.start === otherStart);
  return { verdict: judge(start), otherStart: hasOther ? judge(otherStart) : null, arePairsCut: isCut };
}

function toJudged({ edgeMs, nodeMs, idleEdgeMs, idleNodeMs, ...pair }: StoredPair): ProbePair[] {
  const start = startOf({ edge: idleEdgeMs, nodejs: idleNodeMs });
  if (start === "mixed") return [];
  return [{ ...pair, start, edgeMs: edgeMs ?? Infinity, nodeMs: nodeMs ?? Infinity }];
}
