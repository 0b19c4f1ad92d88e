import * as fc from "fast-check";
import { expect, test } from "vitest";

import { bucketOf, edgeMs, zeroBucket } from "#measurements/histogram.ts";

import { histogramOf, time } from "./times.ts";

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
