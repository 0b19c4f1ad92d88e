import { expect, test } from "vitest";

import { estimateQuantile } from "#measurements/verdict-quantile.ts";
import { detectableRatio, intervalFactor, sumVariance } from "#measurements/verdict-variance.ts";

import { createRandom } from "./verdict-simulation.ts";

const random = createRandom(1);
const values = Float64Array.from({ length: 400 }, () => -Math.log(1 - random()));

test("the median of symmetric values is their centre", () => {
  expect(estimateQuantile(Float64Array.from([1, 2, 4, 6, 7]), 0.5).value).toBeCloseTo(4, 12);
});

test("p95 of many values is the population's", () => {
  const many = Float64Array.from({ length: 200_000 }, () => -Math.log(1 - random()));
  expect(estimateQuantile(many, 0.95).value).toBeCloseTo(Math.log(20), 1);
});

test.each([0.5, 0.95])("the influence values at %d sum to zero and foretell what leaving a value out does", (share) => {
  const { value, influence } = estimateQuantile(values, share);
  expect(influence.reduce((sum, each) => sum + each, 0)).toBeCloseTo(0, 9);
  let squares = 0;
  let jackknife = 0;
  for (const [index, each] of influence.entries()) {
    const without = estimateQuantile(
      values.filter((_, other) => other !== index),
      share,
    ).value;
    squares += each ** 2;
    jackknife += ((values.length - 1) * (value - without)) ** 2;
  }
  expect(squares / jackknife).toBeCloseTo(1, 1);
});

test("the clock's step is known where times are rounded, and none where they are not", () => {
  const rounded = values.map((value) => Math.round(value * 10) / 10);
  expect(estimateQuantile(rounded, 0.95).step).toBeCloseTo(0.1, 9);
  expect(estimateQuantile(values, 0.95).step).toBe(0);
});

test("independent terms have the variance of their squares, dependent ones more", () => {
  const independent = Float64Array.from({ length: 2000 }, () => random() - 0.5);
  expect(sumVariance(independent).dependence).toBeLessThan(1.2);
  let before = 0;
  const dependent = independent.map((term) => (before = 0.6 * before + term));
  // (1 + 0.6) ÷ (1 − 0.6)
  expect(sumVariance(dependent).dependence).toBeGreaterThan(3.3);
  expect(sumVariance(dependent).dependence).toBeLessThan(4.7);
});

test("the interval for all looks is wider than for one, and relatively narrowest near 1,200 pairs", () => {
  expect(intervalFactor(50, false)).toBeCloseTo(1.96, 2);
  const factors = [60, 300, 1200, 5000, 100_000].map((pairs) => intervalFactor(pairs, true));
  expect(factors.map((factor) => factor.toFixed(1))).toEqual(["4.7", "3.3", "3.0", "3.1", "3.5"]);
});

test("the detectable ratio of independent log-normal times with σ = 0.6 is as in theory", () => {
  const ratios = [73, 200, 500, 1000, 2000].map((pairs) => detectableRatio(pairs, 3.215, false));
  expect(ratios.map((ratio) => ratio.toFixed(2))).toEqual(["1.80", "1.43", "1.25", "1.17", "1.12"]);
});
