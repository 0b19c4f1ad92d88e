import { type BucketCounts, decodeBuckets, isEncoding } from "#measurements/bucket-bytes.ts";
import type { TimeMetric } from "#measurements/measurement.ts";
import type { MetricTotal } from "#store/figures/metric-totals.ts";

import type { HistogramFamily, HistogramSample } from "./prometheus-text.ts";

/** What each metric of the store is called outside, in base units, and what it measures. */
export const histogramNames: Readonly<Record<TimeMetric, { name: string; help: string }>> = {
  ack: { name: "relay_ack_duration_seconds", help: "From the webhook's entry to its response to Meta." },
  publish: {
    name: "relay_publish_duration_seconds",
    help: "One whole forward to the queue, its retries and fallback included.",
  },
  queue: { name: "relay_queue_wait_seconds", help: "From the queue's acceptance to the consumer's entry." },
  ingest: { name: "relay_ingest_duration_seconds", help: "Storing one batch." },
  handler: { name: "relay_handler_duration_seconds", help: "One call of a handler." },
  endToEnd: { name: "relay_end_to_end_seconds", help: "From Meta's own time of a delivery to its commit." },
  probe: { name: "relay_probe_duration_seconds", help: "One probe of a pair, as its sender measured it." },
};

/** The upper limits in seconds: powers of √2 from 2^-11 to 2^5, which are edges of the store's buckets. */
const stepFirst = -22;
const stepLast = 10;
const limits = Array.from({ length: stepLast - stepFirst + 1 }, (_, index) => 2 ** ((index + stepFirst) / 2));

const limitTexts = [...limits.map(String), "+Inf"];

/** Sixteen buckets of schema 5 lie between two powers of √2. */
const bucketsPerStep = 16;

/** The totals with the same labels, and the sample that they make. */
interface KnownSample {
  totals: readonly MetricTotal[];
  sample: HistogramSample;
}

/**
 * Creates what makes histograms of the totals. It keeps the samples of the last call: totals that are the same again are the
 * same sample again. The sums are made in the order of the series and of their buckets, so that a sum of weights never falls
 * by the last digit of a floating-point number: to Prometheus that is a counter's reset.
 */
export function createHistogramFamilies(): (totals: readonly MetricTotal[]) => HistogramFamily[] {
  let known = new Map<string, KnownSample>();
  return (all) => {
    const samples = new Map<string, KnownSample>();
    for (const [key, totals] of groupTotals(all)) {
      const before = known.get(key);
      // What is damaged keeps its last values, as all of a part does that cannot be read.
      const isKept = !totals.every(isIntact) || (before !== undefined && areSame(before.totals, totals));
      const now = isKept ? before : { totals, sample: sampleOf(totals) };
      if (now !== undefined) samples.set(key, now);
    }
    known = samples;
    return Object.entries(histogramNames).map(([metric, { name, help }]) => ({
      name,
      type: "histogram",
      help,
      limits: limitTexts,
      samples: [...samples.values()].flatMap(({ totals, sample }) => (totals[0]?.metric === metric ? [sample] : [])),
    }));
  };
}

/** Whether the buckets of a total, if it has any, can be decoded. */
export function isIntact({ buckets }: MetricTotal): boolean {
  return buckets === null || isEncoding(buckets);
}

function groupTotals(all: readonly MetricTotal[]): Map<string, MetricTotal[]> {
  const groups = new Map<string, MetricTotal[]>();
  for (const total of all) {
    if (!(total.metric in histogramNames)) continue;
    const key = [total.metric, total.runtime, total.region, total.cold, total.kind].join("\0");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [total]);
    else group.push(total);
  }
  return groups;
}

function areSame(before: readonly MetricTotal[], now: readonly MetricTotal[]): boolean {
  return (
    before.length === now.length &&
    before.every((total, index) => {
      const other = now[index];
      return other !== undefined && total.sumMs === other.sumMs && areSameBytes(total.buckets, other.buckets);
    })
  );
}

function areSameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}

function sampleOf(totals: readonly MetricTotal[]): HistogramSample {
  const { runtime = "", region = "", cold = "", kind = "" } = totals[0] ?? {};
  const counts = limitTexts.map(() => 0);
  let sumMs = 0;
  for (const total of totals) {
    sumMs += total.sumMs ?? 0;
    if (total.buckets !== null) addTo(counts, decodeBuckets([total.buckets]));
  }
  return { labels: { runtime, region, cold, kind }, counts, sum: sumMs / 1_000 };
}

function addTo(sums: number[], { zeros, first, counts }: BucketCounts): void {
  sums[0] = (sums[0] ?? 0) + zeros;
  for (let index = 0; index < counts.length; index += 1) {
    const limit = limitOf(first + index);
    sums[limit] = (sums[limit] ?? 0) + (counts[index] ?? 0);
  }
}

/** The index of the lowest limit that no time in the bucket exceeds. Bucket i ends at 2^((i+1)/32) seconds. */
function limitOf(bucket: number): number {
  const step = Math.floor(bucket / bucketsPerStep) + 1;
  return Math.min(Math.max(step - stepFirst, 0), limits.length);
}
