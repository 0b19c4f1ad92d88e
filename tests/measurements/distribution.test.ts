import * as fc from "fast-check";
import { expect, test } from "vitest";

import { decodeBuckets, encodeBuckets, entriesOf } from "#measurements/bucket-bytes.ts";
import { type Distribution, quantile, quantiles, toBars } from "#measurements/distribution.ts";
import { addTime, createHistogram, edgeMs, type Histogram } from "#measurements/histogram.ts";
import { distributionOf, type WindowFigure } from "#measurements/summarize-runtime.ts";

import { histogramOf, time } from "./times.ts";

/** What is read of times that were stored. */
const readBack = (times: readonly number[]) => toDistribution(histogramOf(times));

function toDistribution(histogram: Histogram): Distribution {
  return { ...histogram, buckets: decodeBuckets([encodeBuckets(histogram.buckets)]) };
}

function exactQuantile(times: readonly number[], q: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length * (1 - 1e-9)) - 1)] ?? Number.NaN;
}

test("quantiles are within 1.1 % of the exact ones", () => {
  fc.assert(
    fc.property(
      fc.array(time, { minLength: 1, maxLength: 300 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (times, q) => {
        const exact = exactQuantile(times, q);
        const estimate = quantile(readBack(times), q) ?? Number.NaN;
        expect(Math.abs(estimate / exact - 1)).toBeLessThanOrEqual(0.011);
        const [low, middle, high] = quantiles(readBack(times), [0, q, 1]) ?? [];
        expect([low, middle, high]).toEqual([0, q, 1].map((share) => quantile(readBack(times), share)));
      },
    ),
  );
});

test("parts that are read together are the whole, stored or not, in any order", () => {
  fc.assert(
    fc.property(fc.array(fc.array(time, { maxLength: 20 }), { maxLength: 8 }), (parts) => {
      const whole = histogramOf(parts.flat());
      const figures = parts.toReversed().map((part, index): WindowFigure => {
        const { buckets, ...sums } = histogramOf(part);
        const of = { metric: "ack", runtime: "edge", kind: "", label: "", atMs: index, count: sums.count };
        return index % 2 === 0
          ? { ...of, stored: { ...sums, encodings: [encodeBuckets(buckets)] }, histogram: null }
          : { ...of, stored: null, histogram: { ...sums, buckets } };
      });
      const { buckets, ...sums } = distributionOf(figures, "ack");
      expect(new Map(entriesOf(buckets))).toEqual(whole.buckets);
      expect(sums).toMatchObject({ count: whole.count, maxMs: whole.maxMs, within1000: whole.within1000 });
      expect(sums.sumMs).toBeCloseTo(whole.sumMs, 3);
    }),
  );
});

test("a coarser schema holds the same times between edges of its own", () => {
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 50 }), fc.integer({ min: -2, max: 5 }), (times, coarser) => {
      const bars = toBars(readBack(times), coarser);
      expect(bars.reduce((sum, { count }) => sum + count, 0)).toBe(times.length);
      for (const { fromMs, toMs, count } of bars) {
        const inside = times.filter((ms) => ms > fromMs * (1 + 1e-12) && ms <= toMs * (1 - 1e-12)).length;
        expect(inside).toBeLessThanOrEqual(count);
        expect(toMs / fromMs).toBeCloseTo(2 ** (1 / 2 ** coarser), 9);
      }
    }),
  );
  expect(toBars(readBack([0]), 2)).toEqual([{ fromMs: 0, toMs: 0, count: 1 }]);
  expect(toBars(readBack([0, 1.01, 1.02, 0, 1_001]), 0)).toEqual([
    { fromMs: 0, toMs: 0, count: 2 },
    { fromMs: edgeMs(-10, 0), toMs: edgeMs(-9, 0), count: 2 },
    { fromMs: 1_000, toMs: 2_000, count: 1 },
  ]);
});

test("a sampled time counts as often as its weight says", () => {
  const weighed = createHistogram();
  addTime(weighed, 10, 10);
  addTime(weighed, 600);
  expect(weighed).toMatchObject({ count: 11, sumMs: 700, within250: 10, within1000: 11 });
  const read = toDistribution(weighed);
  expect(quantile(read, 0.9)).toBeCloseTo(10, 0);
  expect(quantile(read, 0.99)).toBe(600 > (quantile(read, 1) ?? 0) ? quantile(read, 1) : 600);
});

test("without a measurement there is no quantile", () => {
  expect(quantile(readBack([]), 0.5)).toBeNull();
});
