import { estimateQuantile, type QuantileEstimate } from "./verdict-quantile.ts";
import { pairsMin, type Sample } from "./verdict-sample.ts";
import { sumVariance, type SumVariance } from "./verdict-variance.ts";

/** A log ratio Node ÷ edge with its uncertainty. */
export interface LogRatio extends SumVariance {
  value: number;
  /** The clock's step on the log scale; the truth may lie half of it beside a rounded time. */
  step: number;
}

/** What each burst contributes to the error of an estimate, in the order of time; the sum is zero. */
type Terms = Float64Array;

export interface Estimate {
  p95: LogRatio & { terms: Terms };
  p95Ms: { edge: number; node: number };
  median: LogRatio;
  /** The mean of the pairs' log ratios without their extremes: it shows drifts and repetitions sooner than the tail does. */
  level: SumVariance & { terms: Terms };
}

/**
 * The ratio of the p95s and the median of the pairs' ratios. What slows both runtimes at one moment moves both p95s, and in the pair's
 * influence on their ratio it cancels out.
 */
export function estimateRatios(sample: Sample): Estimate {
  const { edge, node } = sample;
  const independent = Math.max(pairsMin, sample.startsMs.length);
  const edgeP95 = estimateQuantile(edge, 0.95, independent);
  const nodeP95 = estimateQuantile(node, 0.95, independent);
  const ratios = node.map((time, pair) => time - (edge[pair] ?? 0));
  const median = estimateQuantile(ratios, 0.5, independent);

  const levelTerms = termsOf(sample, clippedDeviations(ratios, median.sorted));
  const level = sumVariance(levelTerms);
  const tail = nodeP95.influence.map((ofNode, pair) => ofNode - (edgeP95.influence[pair] ?? 0));
  const terms = termsOf(sample, tail);
  return {
    p95: {
      ...sumVariance(terms, level.persistence),
      value: nodeP95.value - edgeP95.value,
      step: edgeP95.step + nodeP95.step,
      terms,
    },
    p95Ms: { edge: Math.exp(edgeP95.value), node: Math.exp(nodeP95.value) },
    median: {
      ...sumVariance(termsOf(sample, median.influence), level.persistence),
      value: median.value,
      step: median.step,
    },
    level: { ...level, terms: levelTerms },
  };
}

/** The deviations from their mean, without the outer tenth. */
function clippedDeviations(values: Float64Array, sorted: QuantileEstimate["sorted"]): Float64Array {
  const low = sorted[Math.floor(values.length * 0.05)] ?? 0;
  const high = sorted[Math.ceil(values.length * 0.95) - 1] ?? 0;
  const clipped = values.map((value) => Math.min(Math.max(value, low), high));
  const mean = clipped.reduce((sum, value) => sum + value, 0) / values.length;
  return clipped.map((value) => value - mean);
}

function termsOf({ burst, startsMs }: Sample, influence: Float64Array): Terms {
  const sums = new Float64Array(startsMs.length);
  for (let pair = 0; pair < burst.length; pair++) {
    const number = burst[pair] ?? 0;
    sums[number] = (sums[number] ?? 0) + (influence[pair] ?? 0) / burst.length;
  }
  return sums;
}
