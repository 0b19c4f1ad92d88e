import * as fc from "fast-check";
import { expect, test } from "vitest";

import {
  addTime,
  bucketOf,
  createHistogram,
  downscale,
  edgeMs,
  type Histogram,
  mergeInto,
  quantile,
  toBars,
  zeroBucket,
} from "#measurements/histogram.ts";

/** Times from a microsecond to a day, as many of each order of magnitude. */
const time = fc.double({ min: Math.log(1e-3), max: Math.log(86_400_000), noNaN: true }).map((log) => Math.exp(log));

function histogramOf(times: readonly number[]): Histogram {
  const histogram = createHistogram();
  for (const ms of times) addTime(histogram, ms);
  return histogram;
}

function exactQuantile(times: readonly number[], q: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length * (1 - 1e-9)) - 1)] ?? Number.NaN;
}

test("powers of two are upper edges: the limits of 250 ms and 1 s lie between two buckets", () => {
  expect([bucketOf(250), bucketOf(250.001)]).toEqual([-65, -64]);
  expect([bucketOf(1_000), bucketOf(1_000.001)]).toEqual([-1, 0]);
  expect(edgeMs(-64)).toBe(250);
  expect(edgeMs(0)).toBe(1_000);
});

test("each time lies in its bucket", () => {
  fc.assert(
    fc.property(time, (ms) => {
      const bucket = bucketOf(ms);
      expect(ms).toBeGreaterThan(edgeMs(bucket) * (1 - 1e-12));
      expect(ms).toBeLessThanOrEqual(edgeMs(bucket + 1) * (1 + 1e-12));
    }),
  );
});

test("impossible times are limited, so that a bucket is a smallint", () => {
  expect([0, -5, Number.NaN].map(bucketOf)).toEqual([zeroBucket, zeroBucket, zeroBucket]);
  expect([1e-9, 1e-3].map(bucketOf)).toEqual([-638, -638]);
  expect([86_400_000, 8.64e15, Infinity].map(bucketOf)).toEqual([524, 524, 524]);
  expect(histogramOf([Infinity])).toMatchObject({ maxMs: 86_400_000, sumMs: 86_400_000 });
});

test("quantiles are within 1.1 % of the exact ones", () => {
  fc.assert(
    fc.property(
      fc.array(time, { minLength: 1, maxLength: 300 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (times, q) => {
        const exact = exactQuantile(times, q);
        const estimate = quantile(histogramOf(times), q) ?? Number.NaN;
        expect(Math.abs(estimate / exact - 1)).toBeLessThanOrEqual(0.011);
      },
    ),
  );
});

test("shares within 250 ms, 1 s and 5 s are exact", () => {
  const near = fc
    .constantFrom(250, 1_000, 5_000)
    .chain((limit) => fc.constantFrom(limit, limit * (1 - 2 ** -52), limit * (1 + 2 ** -52), limit - 1, limit + 1));
  fc.assert(
    fc.property(fc.array(fc.oneof(near, time), { maxLength: 100 }), (times) => {
      const within = (limit: number) => times.filter((ms) => ms <= limit).length;
      expect(histogramOf(times)).toMatchObject({
        count: times.length,
        within250: within(250),
        within1000: within(1_000),
        within5000: within(5_000),
      });
    }),
  );
});

test("merged parts are the whole, in any order", () => {
  fc.assert(
    fc.property(fc.array(fc.array(time, { maxLength: 20 }), { maxLength: 8 }), (parts) => {
      const whole = histogramOf(parts.flat());
      const merged = createHistogram();
      for (const part of parts.toReversed()) mergeInto(merged, histogramOf(part));
      expect(merged.buckets).toEqual(new Map(whole.buckets));
      expect(merged).toMatchObject({ count: whole.count, maxMs: whole.maxMs, within1000: whole.within1000 });
      expect(merged.sumMs).toBeCloseTo(whole.sumMs, 3);
    }),
  );
});

test("a coarser schema holds the same times between edges of its own", () => {
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 50 }), fc.integer({ min: -2, max: 5 }), (times, coarser) => {
      const bars = toBars(histogramOf(times), coarser);
      expect(bars.reduce((sum, { count }) => sum + count, 0)).toBe(times.length);
      for (const { fromMs, toMs, count } of bars) {
        const inside = times.filter((ms) => ms > fromMs * (1 + 1e-12) && ms <= toMs * (1 - 1e-12)).length;
        expect(inside).toBeLessThanOrEqual(count);
        expect(toMs / fromMs).toBeCloseTo(2 ** (1 / 2 ** coarser), 9);
      }
    }),
  );
  expect(downscale(histogramOf([0, 1]).buckets, 2)).toEqual(
    new Map([
      [zeroBucket, 1],
      [bucketOf(1) >> 3, 1],
    ]),
  );
  expect(toBars(histogramOf([0]), 2)).toEqual([{ fromMs: 0, toMs: 0, count: 1 }]);
});

test("a sampled time counts as often as its weight says", () => {
  const weighed = createHistogram();
  addTime(weighed, 10, 10);
  addTime(weighed, 600);
  expect(weighed).toMatchObject({ count: 11, sumMs: 700, within250: 10, within1000: 11 });
  expect(quantile(weighed, 0.9)).toBeCloseTo(10, 0);
  expect(quantile(weighed, 0.99)).toBe(600 > (quantile(weighed, 1) ?? 0) ? quantile(weighed, 1) : 600);
});

test("an empty histogram has no quantile", () => {
  expect(quantile(createHistogram(), 0.5)).toBeNull();
});
