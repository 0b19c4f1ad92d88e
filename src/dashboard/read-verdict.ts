import { type ProbeStart, startOf } from "#measurements/probe-start.ts";
import { verdictOf } from "#measurements/verdict.ts";
import type { ProbePair, Verdict } from "#measurements/verdict-types.ts";
import type { Database } from "#store/database.ts";
import { readPairs, type StoredPair } from "#store/probe-pairs.ts";

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

export interface ReadVerdict {
  verdict: Verdict;
  /** That on the other kind of start; null if there are no such pairs. */
  other: Verdict | null;
  /** Whether the window has more pairs than are judged; the newest are. */
  isCut: boolean;
  emulated: boolean;
}

/**
 * Which runtime is faster, by the pairs of a window. A pair of which one function was warm and the other was not belongs to
 * neither verdict. Throws `STORE_UNAVAILABLE`.
 */
export async function readVerdict(
  db: Database,
  { fromMs, toMs, region = null, deployment = null, start = "warm", isEmulated, nowMs }: VerdictFilter,
): Promise<ReadVerdict> {
  const { pairs: stored, isCut } = await readPairs(db, { fromMs, toMs, region, deployment });
  const pairs = stored.flatMap(toJudged);
  const otherStart = start === "warm" ? "cold" : "warm";
  const judge = (of: "warm" | "cold") => verdictOf(pairs, { nowMs, isEmulated, start: of });
  const hasOther = pairs.some((pair) => pair.start === otherStart);
  return { verdict: judge(start), other: hasOther ? judge(otherStart) : null, isCut, emulated: isEmulated };
}

function toJudged({ edgeMs, nodeMs, idleEdgeMs, idleNodeMs, ...pair }: StoredPair): ProbePair[] {
  const start = startOf({ edge: idleEdgeMs, nodejs: idleNodeMs });
  if (start === "mixed") return [];
  return [{ ...pair, start, edgeMs: edgeMs ?? Infinity, nodeMs: nodeMs ?? Infinity }];
}
