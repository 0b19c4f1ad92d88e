import { type BucketCounts, decodeBuckets } from "#measurements/bucket-bytes.ts";
import { schema } from "#measurements/histogram.ts";
import type { MetricTotal } from "#store/figures/metric-totals.ts";

import { histogramNames, isIntact } from "../histogram-families.ts";
import type { NumberFamily, MetricSample } from "../prometheus-text.ts";

export interface OtlpSource {
  /** Counters and gauges. */
  families: readonly NumberFamily[];
  /** The sums that the histograms are made of. */
  totals: readonly MetricTotal[];
  /** When the values were read, and since when they count, in milliseconds since the epoch. */
  atMs: number;
  startMs: number;
  resource: Readonly<Record<string, string>>;
}

const cumulative = 2;
const nano = (ms: number) => `${Math.round(ms)}000000`;
const attributesOf = (labels: MetricSample["labels"]) =>
  Object.entries(labels).flatMap(([key, value]) => (value === "" ? [] : [{ key, value: { stringValue: value } }]));

/**
 * The metrics as an OTLP request in JSON: with the names of `/api/metrics`, and with the store's own buckets, which are those
 * of an exponential histogram of scale 5. https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
 */
export function otlpJson({ families, totals, atMs, startMs, resource }: OtlpSource) {
  const time = { startTimeUnixNano: nano(startMs), timeUnixNano: nano(atMs) };
  const numbers = families.flatMap(({ name, help, type, samples }): object[] => {
    const dataPoints = samples.flatMap(({ labels, value }) =>
      Number.isFinite(value) ? [{ attributes: attributesOf(labels), ...time, asDouble: value }] : [],
    );
    if (dataPoints.length === 0) return [];
    const metric = { name, description: help };
    return type === "counter"
      ? [{ ...metric, sum: { aggregationTemporality: cumulative, isMonotonic: true, dataPoints } }]
      : [{ ...metric, gauge: { dataPoints } }];
  });
  const histograms = Object.entries(histogramNames).flatMap(([metric, { name, help }]) => {
    const dataPoints = pointsOf(totals.filter((total) => total.metric === metric && isIntact(total))).map((point) => ({
      ...point,
      ...time,
    }));
    const exponentialHistogram = { aggregationTemporality: cumulative, dataPoints };
    return dataPoints.length === 0 ? [] : [{ name, description: help, unit: "s", exponentialHistogram }];
  });
  return {
    resourceMetrics: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeMetrics: [{ scope: { name: "instagram-webhook-relay" }, metrics: [...numbers, ...histograms] }],
      },
    ],
  };
}

interface Sum {
  labels: MetricSample["labels"];
  sumMs: number;
  encodings: Uint8Array[];
}

/** One point for each set of labels, the series summed up in their order. */
function pointsOf(totals: readonly MetricTotal[]) {
  const sums = new Map<string, Sum>();
  for (const { runtime, region, cold, kind, sumMs, buckets } of totals) {
    const labels = { runtime, region, cold, kind };
    const key = JSON.stringify(labels);
    const sum: Sum = sums.get(key) ?? { labels, sumMs: 0, encodings: [] };
    sums.set(key, sum);
    sum.sumMs += sumMs ?? 0;
    if (buckets !== null) sum.encodings.push(buckets);
  }
  return [...sums.values()].map(({ labels, sumMs, encodings }) => ({
    attributes: attributesOf(labels),
    sum: sumMs / 1_000,
    ...bucketsOf(decodeBuckets(encodings)),
  }));
}

/**
 * Counts are whole numbers in OTLP, and ours are weights. Each bucket is rounded down: rounded otherwise, a count could fall
 * while its neighbours rise, and a count that falls is taken for a histogram that began again.
 */
function bucketsOf({ zeros, first, counts: weights }: BucketCounts) {
  const zeroCount = Math.floor(zeros);
  const counts = Array.from(weights, Math.floor);
  return {
    count: String(counts.reduce((sum, count) => sum + count, zeroCount)),
    scale: schema,
    zeroCount: String(zeroCount),
    positive: { offset: counts.length === 0 ? 0 : first, bucketCounts: counts.map(String) },
  };
}
