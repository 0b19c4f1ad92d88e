import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { counterFamilies } from "#dashboard/metrics/counter-families.ts";
import { createHistogramFamilies } from "#dashboard/metrics/histogram-families.ts";
import { type MetricFamily, prometheusParts } from "#dashboard/metrics/prometheus-text.ts";
import { encodeBuckets } from "#measurements/bucket-bytes.ts";
import { addTime, createHistogram } from "#measurements/histogram.ts";
import type { MetricTotal } from "#store/figures/metric-totals.ts";

import { parseSamples } from "./parse-samples.ts";

const series = { metric: "ack", runtime: "edge", region: "", cold: "", kind: "", label: "" };

function totalOf(times: readonly number[], weight = 1, of: Partial<MetricTotal> = {}): MetricTotal {
  const histogram = createHistogram();
  for (const ms of times) addTime(histogram, ms, weight);
  const buckets = encodeBuckets(histogram.buckets);
  return { ...series, count: histogram.count, sumMs: histogram.sumMs, buckets, ...of };
}

const prometheusText = (families: readonly MetricFamily[]) => Buffer.concat(prometheusParts(families)).toString();
const samplesOf = (totals: MetricTotal[]) => parseSamples(prometheusText(createHistogramFamilies()(totals)));
const name = "relay_ack_duration_seconds";
const limits = Array.from({ length: 33 }, (_, index) => 2 ** ((index - 22) / 2));
const bucketOf = (samples: ReturnType<typeof samplesOf>, le: number | string) =>
  samples.get(`${name}_bucket{runtime="edge",le="${le}"}`)?.value;

describe("histograms", () => {
  test("every limit is a power of √2 and counts exactly the times up to it", () => {
    const time = fc.oneof(
      fc.double({ min: 0, max: 100_000, noNaN: true }),
      fc.constantFrom(0, 250, 1_000, 125, 32_000, 0.48828125),
      fc.double({ min: 0, max: 2, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(time, { maxLength: 50 }), (times) => {
        const samples = samplesOf([totalOf(times)]);
        for (const le of limits) {
          // Below a microsecond all times are one.
          const below = times.filter((ms) => Math.min(ms, 86_400_000) / 1_000 <= le).length;
          expect(bucketOf(samples, le)).toBe(below);
        }
        expect(bucketOf(samples, "+Inf")).toBe(times.length);
        expect(samples.get(`${name}_count{runtime="edge"}`)?.value).toBe(times.length);
      }),
    );
  });

  test("the sum is in seconds", () => {
    expect(samplesOf([totalOf([500, 1_000])]).get(`${name}_sum{runtime="edge"}`)?.value).toBe(1.5);
  });

  test("no sum of weights falls when a series gets more, though sums of such numbers depend on their order", () => {
    const weight = 1 / 0.3;
    const times: number[][] = [[], [], []];
    const read = () => samplesOf(times.map((of, deployment) => totalOf(of, weight, { label: `${deployment}` })));
    let before = read();
    for (let step = 0; step < 60; step += 1) {
      times[step % 3]?.push((step * 37) % 1_000);
      const after = read();
      for (const [key, { value }] of before) expect(after.get(key)?.value).toBeGreaterThanOrEqual(value);
      before = after;
    }
  });
});

describe("counters", () => {
  test("are summed over regions and cold starts, and a metric that is unknown here is left out", () => {
    const of = (total: Partial<MetricTotal>): MetricTotal => ({
      ...series,
      count: 1,
      sumMs: null,
      buckets: null,
      ...total,
    });
    const text = prometheusText(
      counterFamilies([
        of({ metric: "outcome", label: "published", region: "fra1", count: 2 }),
        of({ metric: "outcome", label: "published", region: "iad1", count: 3 }),
        of({ metric: "newer" }),
      ]),
    );
    const rising = [...parseSamples(text)].filter(([, { value }]) => value > 0);
    expect(rising.map(([key, { value }]) => [key, value])).toEqual([
      ['relay_deliveries_total{runtime="edge",outcome="published"}', 5],
    ]);
  });
});

test("before anything is measured every outcome is 0, so that the first loss is an increase", () => {
  const samples = parseSamples(prometheusText(counterFamilies([])));
  for (const runtime of ["edge", "nodejs"]) {
    for (const outcome of ["published", "fallback", "lost", "refused"]) {
      expect(samples.get(`relay_deliveries_total{runtime="${runtime}",outcome="${outcome}"}`)?.value).toBe(0);
    }
  }
});

describe("the text", () => {
  test("has help and type once, escapes labels, leaves out empty ones and families without samples", () => {
    const text = prometheusText([
      {
        name: "a_total",
        type: "counter",
        help: "Two\nlines \\ with a slash",
        samples: [{ labels: { x: "" }, value: 1 }],
      },
      { name: "b", type: "gauge", help: "B.", samples: [] },
      { name: "c", type: "gauge", help: "C.", atMs: 5.4, samples: [{ labels: { x: 'a"b\\c\nd' }, value: Infinity }] },
    ]);
    expect(text).toBe(
      String.raw`# HELP a_total Two\nlines \\ with a slash
# TYPE a_total counter
a_total 1
# HELP c C.
# TYPE c gauge
c{x="a\"b\\c\nd"} +Inf 5
`,
    );
  });
});

test("totals that stay the same are the same sample again, and those that change are not", () => {
  const histogramFamilies = createHistogramFamilies();
  const read = (...times: number[][]) =>
    histogramFamilies(times.map((of, region) => totalOf(of, 1, { region: `${region}` })))[0]?.samples ?? [];
  const [first, second] = read([1], [2]);
  const [same, changed, added] = read([1], [2, 3], [4]);
  expect(same).toBe(first);
  expect(changed).not.toBe(second);
  expect([changed?.sum, added?.sum]).toEqual([0.005, 0.004]);
  // The same sum in other buckets is another sample.
  expect(read([1], [4, 1], [4])[1]).not.toBe(changed);
});
