/** Which runtime answers faster, by pairs of probes. */

import type { Runtime } from "#platform/delivery.ts";

import { findChange } from "./verdict-change.ts";
import { type Estimate, estimateRatios, type LogRatio } from "./verdict-estimate.ts";
import {
  burstsMin,
  countUnanswered,
  createSample,
  pairsMin,
  type Sample,
  sampleFrom,
  type Selection,
  selectPairs,
} from "./verdict-sample.ts";
import { typicalSentence, verdictSentence, type WordlessVerdict } from "./verdict-sentence.ts";
import type { ProbePair, RatioEstimate, Verdict, VerdictOptions, VerdictReason } from "./verdict-types.ts";
import { detectableRatio, intervalFactor } from "./verdict-variance.ts";

/** From here on a burst says less than a sixth of an independent one, and the estimate of that share is unsafe itself. */
const dependenceMax = 6;
/** The estimate of p95 draws on values up to about the 97th percentile. */
const unansweredShareMax = 0.025;
/** A variance that only rounding makes. */
const negligible = 1e-18;

/** What the times themselves say. */
interface Findings extends Pick<
  Verdict,
  "faster" | "reason" | "ratio" | "confidence95" | "differenceMs" | "pairs" | "bursts" | "detectableRatio" | "typical"
> {
  /** The burst with which the judged pairs begin; 0 if the ratio did not change. */
  firstBurst: number;
  /** So many independent pairs would say as much. */
  independentPairs: number;
}

/**
 * Judges the pairs of a window by the ratio of their p95s. Where the runtimes do not differ, about 5 % of verdicts say that they do if
 * each window is looked at once, and with `isLive` no more if windows are looked at again and again. Pure and deterministic; the order of the pairs
 * does not matter, and no pair makes it throw. docs/COMPARING.md explains how to read it.
 */
export function verdictOf(pairs: readonly ProbePair[], options: VerdictOptions): Verdict {
  const selection = selectPairs(pairs, options);
  const sample = createSample(selection.pairs);
  const unanswered = countUnanswered(selection.pairs);
  const onlyRuntime = findOnlyRuntime(pairs, selection);
  const { isWithoutEdge = false, isEmulated } = options;
  const found = findObstacle(selection.pairs, unanswered, onlyRuntime);
  const obstacle = found === "no-pairs" && isWithoutEdge ? "no-edge" : found;
  const { firstBurst, independentPairs, ...findings } =
    obstacle === null ? judge(sample, options) : undecided(sample, obstacle);

  const changedAtMs = firstBurst === 0 ? undefined : sample.startsMs[firstBurst];
  const verdict: WordlessVerdict = {
    metric: "probeMs.p95",
    ...findings,
    vantage: selection.vantage,
    deployment: selection.deployment,
    start: options.start ?? "warm",
    changedAt: changedAtMs === undefined ? null : new Date(changedAtMs).toISOString(),
    leftOut: { ...selection.leftOut, beforeChange: selection.pairs.length - findings.pairs },
  };
  const notes = { unanswered, onlyRuntime, independentPairs, latest: selection.latest, isWithoutEdge, isEmulated };
  return { ...verdict, sentence: verdictSentence(verdict, notes) };
}

/** What stands against a judgement before any time is looked at. */
function findObstacle(
  pairs: readonly ProbePair[],
  unanswered: Record<Runtime, number>,
  onlyRuntime: Runtime | null,
): VerdictReason | null {
  if (onlyRuntime !== null) return "one-runtime";
  if (pairs.length === 0) return "no-pairs";
  if (Math.max(unanswered.edge, unanswered.nodejs) > Math.max(1, unansweredShareMax * pairs.length))
    return "unanswered";
  return null;
}

function findOnlyRuntime(pairs: readonly ProbePair[], { answered }: Selection): Runtime | null {
  const [only] = answered;
  return pairs.length > 0 && answered.size === 1 && only !== undefined ? only : null;
}

function judge(sample: Sample, { isLive = true, isEmulated }: VerdictOptions): Findings {
  const { rest, firstBurst, estimate } = afterLastChange(sample);
  const pairs = rest.edge.length;
  if (estimate === null) return { ...undecided(rest, firstBurst === 0 ? "too-few" : "changed"), firstBurst };
  const { p95, p95Ms, median, level } = estimate;
  if (!(p95.variance > negligible)) return { ...undecided(rest, "identical"), firstBurst };
  const independentPairs = pairs / Math.max(level.dependence, p95.dependence);
  if (independentPairs * dependenceMax < pairs)
    return { ...undecided(rest, "too-alike"), firstBurst, independentPairs };

  const tail = ratioEstimate(p95, pairs, isLive);
  const typical = ratioEstimate(median, pairs, isLive);
  const faster = isEmulated ? "undecided" : fasterBy(tail);
  return {
    faster,
    reason: isEmulated ? "emulated" : faster === "undecided" ? "too-close" : "decided",
    ...tail,
    differenceMs: p95Ms.node - p95Ms.edge,
    pairs,
    bursts: rest.startsMs.length,
    detectableRatio: detectableRatio(pairs, p95.variance * pairs * p95.widening ** 2, isLive),
    typical: isEmulated ? null : { ...typical, sentence: typicalSentence(typical) },
    firstBurst,
    independentPairs,
  };
}

/** The pairs since the ratio last changed, and what they say; null if they are too few. */
function afterLastChange(sample: Sample): { rest: Sample; firstBurst: number; estimate: Estimate | null } {
  let rest = sample;
  let firstBurst = 0;
  while (rest.edge.length >= pairsMin && rest.startsMs.length >= burstsMin) {
    const estimate = estimateRatios(rest);
    const change = findChange(estimate);
    if (change === null) return { rest, firstBurst, estimate };
    rest = sampleFrom(rest, change);
    firstBurst += change;
  }
  return { rest, firstBurst, estimate: null };
}

function undecided(sample: Sample, reason: VerdictReason): Findings {
  return {
    faster: "undecided",
    reason,
    ratio: null,
    confidence95: null,
    differenceMs: null,
    pairs: sample.edge.length,
    bursts: sample.startsMs.length,
    detectableRatio: null,
    typical: null,
    firstBurst: 0,
    independentPairs: 0,
  };
}

function ratioEstimate({ value, variance, widening, step }: LogRatio, pairs: number, isLive: boolean): RatioEstimate {
  const half = intervalFactor(pairs, isLive) * widening * Math.sqrt(variance) + step / 2;
  return { ratio: Math.exp(value), confidence95: [Math.exp(value - half), Math.exp(value + half)] };
}

function fasterBy({ confidence95: [low, high] }: RatioEstimate): Runtime | "undecided" {
  if (low > 1) return "edge";
  return high < 1 ? "nodejs" : "undecided";
}
