import { quantile } from "./distribution.ts";
import type { ClockSkew } from "./runtime-comparison.ts";
import { clockPairs } from "./figures.ts";
import { distributionOf, type WindowFigure } from "./summarize-runtime.ts";

/** The pairs of clocks by which something ended before its start, the most frequent first. */
export function clockSkewsOf(figures: readonly WindowFigure[]): ClockSkew[] {
  const pairs = new Set(figures.flatMap(({ metric, label }) => (metric === "skew" ? [label] : [])));
  const skews = [...pairs].map((pair) => {
    const negative = distributionOf(
      figures.filter(({ label }) => label === pair),
      "skew",
    );
    const positive = figures.filter(({ metric, runtime }) => clockPairs[metric]?.(runtime) === pair);
    return {
      pair,
      negative: negative.count,
      count: negative.count + positive.reduce((sum, { count }) => sum + count, 0),
      medianMs: quantile(negative, 0.5) ?? 0,
      p99Ms: quantile(negative, 0.99) ?? 0,
    };
  });
  return skews.toSorted((a, b) => b.negative - a.negative);
}
