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
  const bucket = bucketOf(clamped);
  histogram.buckets.set(bucket, (histogram.buckets.get(bucket) ?? 0) + weight);
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

/** The lower edge of a bucket in milliseconds; its upper edge is the lower one of the next. */
export function edgeMs(bucket: number, ofSchema = schema): number {
  return 2 ** (bucket / 2 ** ofSchema) * 1_000;
}
