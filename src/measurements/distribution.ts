/** A histogram as it is read. What is added to one is a `Histogram`. */

import type { BucketCounts } from "./bucket-bytes.ts";
import { edgeMs, type Histogram, schema, zeroBucket } from "./histogram.ts";

export interface Distribution extends Omit<Histogram, "buckets"> {
  buckets: BucketCounts;
}

/** What quantiles are made of: the count is that of the buckets, because one that is damaged is in no bucket. */
type Counted = Readonly<Pick<Distribution, "maxMs" | "buckets">>;

/** For sums of weights, whose last digits depend on their order. */
const tolerance = 1e-9;

/**
 * The time in milliseconds that the share `q`, from 0 to 1, does not exceed: of its bucket the harmonic middle, which is
 * at most 1.09 % from any time in it. Null without a measurement.
 */
export function quantile(distribution: Counted, q: number): number | null {
  return quantiles(distribution, [q])?.[0] ?? null;
}

/** The same for several shares, the smallest first, in one pass. */
export function quantiles({ maxMs, buckets }: Counted, shares: readonly number[]): number[] | null {
  const { zeros, first, counts } = buckets;
  if (zeros === 0 && counts.length === 0) return null;
  const count = counts.reduce((sum, one) => sum + one, zeros);
  // Before the first place are the zeros.
  let [place, below] = zeros === 0 ? [0, counts[0] ?? 0] : [-1, zeros];
  return shares.map((q) => {
    const rank = q * count * (1 - tolerance);
    while (below < rank && place < counts.length - 1) below += counts[++place] ?? 0;
    return Math.min(place < 0 ? 0 : middleMs(first + place), maxMs);
  });
}

/** A bar of a chart: how many times are above `fromMs` and at most `toMs`. */
export interface HistogramBar {
  fromMs: number;
  toMs: number;
  count: number;
}

/**
 * The buckets that hold anything in the order of time, each one merged from `2^(5 - coarser)` of the store's: exact, because the
 * edges of a coarser schema are edges of schema 5, too. Zero is the first bar, from 0 to 0.
 */
export function toBars(
  { buckets: { zeros, first, counts } }: Pick<Distribution, "buckets">,
  coarser: number,
): HistogramBar[] {
  const bars: HistogramBar[] = zeros === 0 ? [] : [{ fromMs: 0, toMs: 0, count: zeros }];
  let last = zeroBucket;
  for (const [index, count] of counts.entries()) {
    if (count === 0) continue;
    const bucket = (first + index) >> (schema - coarser);
    const bar = bars.at(-1);
    if (bucket === last && bar !== undefined) bar.count += count;
    else bars.push({ fromMs: edgeMs(bucket, coarser), toMs: edgeMs(bucket + 1, coarser), count });
    last = bucket;
  }
  return bars;
}

function middleMs(bucket: number): number {
  const [low, high] = [edgeMs(bucket), edgeMs(bucket + 1)];
  return (2 * low * high) / (low + high);
}
