/**
 * Histograms of milliseconds in base-2 exponential buckets of schema 5, which merge without loss. Bucket `i` holds
 * (b^i, b^(i+1)] seconds with b = 2^(1/32), as scale 5 does in OpenTelemetry; a native histogram of Prometheus numbers
 * the same bucket `i + 1`. https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
 */
export interface Histogram {
  /** Sum of all weights; not an integer where samples were weighed. */
  count: number;
  sumMs: number;
  maxMs: number;
  /** The weight of values up to 250 ms, 1 s and 5 s: exact, also where no bucket ends there. */
  within250: number;
  within1000: number;
  within5000: number;
  /** Weights by bucket; `zeroBucket` for values that are not above zero. */
  buckets: Map<number, number>;
}

/** Buckets per doubling. */
const perDoubling = 32;
export const schema = 5;

/** The bucket of zero, which has no logarithm: below all others, and within a smallint. */
export const zeroBucket = -32_768;

/** The lowest and the highest bucket of what is above zero: of a microsecond, and of a day. */
export const bucketMin = -638;
export const bucketMax = 524;

const minMs = 1e-3;
const maxMs = 24 * 60 * 60_000;

/** Limits a time to what a histogram holds: zero, or a microsecond to a day. A clock that is wrong must not decide a sum. */
export function clampMs(ms: number): number {
  if (!(ms > 0)) return 0;
  return Math.min(Math.max(ms, minMs), maxMs);
}

/** The bucket of a time in milliseconds: from `bucketMin` to `bucketMax`, or `zeroBucket` for what is not above zero. */
export function bucketOf(ms: number): number {
  const clamped = clampMs(ms);
  return clamped === 0 ? zeroBucket : Math.ceil(Math.log2(clamped / 1_000) * perDoubling) - 1;
}

/** An empty histogram. */
export function createHistogram(): Histogram {
  return { count: 0, sumMs: 0, maxMs: 0, within250: 0, within1000: 0, within5000: 0, buckets: new Map() };
}

/** Adds a time with the number of measurements that it stands for. */
export function addTime(histogram: Histogram, ms: number, weight = 1): void {
  const clamped = clampMs(ms);
  histogram.count += weight;
  histogram.sumMs += clamped * weight;
  histogram.maxMs = Math.max(histogram.maxMs, clamped);
  if (clamped <= 250) histogram.within250 += weight;
  if (clamped <= 1_000) histogram.within1000 += weight;
  if (clamped <= 5_000) histogram.within5000 += weight;
  addToBucket(histogram.buckets, bucketOf(clamped), weight);
}

/** Adds all of `other`. */
export function mergeInto(histogram: Histogram, other: Readonly<Histogram>): void {
  mergeSums(histogram, other);
  for (const [bucket, count] of other.buckets) addToBucket(histogram.buckets, bucket, count);
}

/** Adds all of `other` but its buckets. */
export function mergeSums(histogram: Histogram, other: Readonly<Omit<Histogram, "buckets">>): void {
  histogram.count += other.count;
  histogram.sumMs += other.sumMs;
  histogram.maxMs = Math.max(histogram.maxMs, other.maxMs);
  histogram.within250 += other.within250;
  histogram.within1000 += other.within1000;
  histogram.within5000 += other.within5000;
}

/** For sums of weights, whose last digits depend on their order. */
const tolerance = 1e-9;

/**
 * The time in milliseconds that the share `q`, from 0 to 1, does not exceed: of its bucket the harmonic middle, which is
 * at most 1.09 % from any time in it. Null for an empty histogram.
 */
export function quantile(histogram: Readonly<Histogram>, q: number): number | null {
  return quantiles(histogram, [q])?.[0] ?? null;
}

/** The same for several shares, the smallest first. */
export function quantiles(histogram: Readonly<Histogram>, shares: readonly number[]): number[] | null {
  const filled = [...histogram.buckets.keys()].toSorted((a, b) => a - b);
  if (filled.length === 0) return null;
  const countAt = (place: number) => histogram.buckets.get(filled[place] ?? 0) ?? 0;
  let [index, below] = [0, countAt(0)];
  return shares.map((q) => {
    const rank = q * histogram.count * (1 - tolerance);
    while (below < rank && index < filled.length - 1) below += countAt(++index);
    return Math.min(middleMs(filled[index] ?? 0), histogram.maxMs);
  });
}

/** A bar of a chart: how many times are above `fromMs` and at most `toMs`. */
export interface HistogramBar {
  fromMs: number;
  toMs: number;
  count: number;
}

/** The buckets that hold anything in the order of time, each one merged from `2^(5 - coarser)` of the histogram's. Zero is the first bar, from 0 to 0. */
export function toBars(histogram: Readonly<Histogram>, coarser: number): HistogramBar[] {
  const merged = downscale(histogram.buckets, coarser);
  return [...merged.keys()]
    .toSorted((a, b) => a - b)
    .map((bucket) => ({
      fromMs: bucket === zeroBucket ? 0 : edgeMs(bucket, coarser),
      toMs: bucket === zeroBucket ? 0 : edgeMs(bucket + 1, coarser),
      count: merged.get(bucket) ?? 0,
    }));
}

/** Merges buckets into those of a coarser schema, from 5 down: exact, because their edges are edges of schema 5, too. */
export function downscale(buckets: ReadonlyMap<number, number>, coarser: number): Map<number, number> {
  const merged = new Map<number, number>();
  for (const [bucket, count] of buckets) {
    addToBucket(merged, bucket === zeroBucket ? bucket : bucket >> (schema - coarser), count);
  }
  return merged;
}

/** The lower edge of a bucket in milliseconds; its upper edge is the lower one of the next. */
export function edgeMs(bucket: number, ofSchema = schema): number {
  return 2 ** (bucket / 2 ** ofSchema) * 1_000;
}

function middleMs(bucket: number): number {
  if (bucket === zeroBucket) return 0;
  const [low, high] = [edgeMs(bucket), edgeMs(bucket + 1)];
  return (2 * low * high) / (low + high);
}

function addToBucket(buckets: Map<number, number>, bucket: number, count: number): void {
  buckets.set(bucket, (buckets.get(bucket) ?? 0) + count);
}
