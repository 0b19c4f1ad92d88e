import { type BucketCounts, decodeBuckets } from "#measurements/bucket-bytes.ts";
import type { TimeMetric } from "#measurements/measurement.ts";
import type { MetricTotal } from "#store/metric-totals.ts";

import type { HistogramFamily } from "./prometheus-text.ts";

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

interface Sum {
  labels: Readonly<Record<string, string>>;
  /** By limit. */
  counts: number[];
  sumMs: number;
}

/**
 * The totals as histograms. The sums are made in the order of the series and of their buckets, so
 * that a sum of weights never falls by the last digit of a floating-point number: to Prometheus that is a counter's reset.
 */
export function histogramFamilies(totals: readonly MetricTotal[]): HistogramFamily[] {
  const families = new Map(Object.keys(histogramNames).map((metric) => [metric, new Map<string, Sum>()]));
  for (const { metric, runtime, region, cold, kind, sumMs, buckets } of totals) {
    const sums = families.get(metric);
    if (sums === undefined) continue;
    const key = [runtime, region, cold, kind].join("\0");
    let sum = sums.get(key);
    if (sum === undefined) {
      const counts = limitTexts.map(() => 0);
      sums.set(key, (sum = { labels: { runtime, region, cold, kind }, counts, sumMs: 0 }));
    }
    sum.sumMs += sumMs ?? 0;
    if (buckets !== null) addTo(sum.counts, decodeBuckets([buckets]));
  }
  return Object.entries(histogramNames).map(([metric, { name, help }]) => ({
    name,
    type: "histogram",
    help,
    limits: limitTexts,
    samples: [...(families.get(metric)?.values() ?? [])].map(({ labels, counts, sumMs }) => {
      return { labels, counts, sum: sumMs / 1_000 };
    }),
  }));
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
