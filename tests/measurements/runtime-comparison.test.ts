import { describe, expect, test } from "vitest";

import { fillSeries, judgeProbes, samplesMin, windowEndingAt, windowNames } from "#measurements/runtime-comparison.ts";

import { createRandom } from "../support/mutate.ts";

const nowMs = Date.parse("2026-01-31T12:34:56.789Z");

describe("windows", () => {
  test.each(windowNames)("%s has at most 60 intervals that cover it without a gap", (name) => {
    const window = windowEndingAt(name, nowMs);
    const starts = window.bucketStartsMs;
    expect(starts.length).toBeLessThanOrEqual(60);
    expect(starts[0]).toBeLessThanOrEqual(window.fromMs);
    expect((starts.at(-1) ?? 0) + window.bucketMs).toBeGreaterThanOrEqual(window.toMs);
    for (const [index, start] of starts.entries()) expect(start).toBe((starts[0] ?? 0) + index * window.bucketMs);
  });

  test("intervals stay where they are while time passes", () => {
    const starts = new Set(windowEndingAt("1h", nowMs).bucketStartsMs);
    const later = windowEndingAt("1h", nowMs + 5_000).bucketStartsMs;
    expect(later.filter((start) => starts.has(start)).length).toBeGreaterThanOrEqual(starts.size - 1);
  });

  test("a series has a point for every interval, empty ones without percentiles", () => {
    const window = windowEndingAt("15m", nowMs);
    const at = new Date(window.bucketStartsMs[3] ?? 0).toISOString();
    const point = { at, count: 2, ackP50: 1, ackP95: 2, ackP99: 3, publishP95: null };
    const series = fillSeries(window, [point]);
    expect(series).toHaveLength(window.bucketStartsMs.length);
    expect(series[3]).toEqual(point);
    expect(series[4]).toMatchObject({ count: 0, ackP95: null });
  });
});

describe("verdict", () => {
  const spread = (count: number, fromMs: number) => Array.from({ length: count }, (_, index) => fromMs + index / count);

  test("without probes there is none, and it says why", () => {
    expect(judgeProbes({ edge: [], nodejs: [] })).toEqual({
      metric: "probeMs.p95",
      faster: "undecided",
      differenceMs: null,
      confidence95: null,
      samples: { edge: 0, nodejs: 0 },
      sentence: expect.stringContaining("no probes") as unknown,
    });
  });

  test("too few probes of either runtime decide nothing", () => {
    const verdict = judgeProbes({ edge: spread(500, 1), nodejs: spread(samplesMin - 1, 90) });
    expect(verdict).toMatchObject({ faster: "undecided", differenceMs: null, samples: { nodejs: samplesMin - 1 } });
  });

  test("the runtime with the clearly lower 95th percentile is faster", () => {
    const verdict = judgeProbes({ edge: spread(200, 20), nodejs: spread(200, 50) });
    expect(verdict.faster).toBe("edge");
    expect(verdict.differenceMs).toBeCloseTo(30, 6);
    const [low, high] = verdict.confidence95 ?? [0, 0];
    expect(low).toBeLessThan(30);
    expect(high).toBeGreaterThan(30);
    expect(judgeProbes({ edge: spread(200, 50), nodejs: spread(200, 20) })).toMatchObject({
      faster: "nodejs",
      differenceMs: expect.closeTo(-30, 6) as unknown,
    });
  });

  test("equal distributions stay undecided", () => {
    const verdict = judgeProbes({ edge: spread(200, 20), nodejs: spread(200, 20) });
    expect(verdict).toMatchObject({ faster: "undecided", differenceMs: 0 });
  });

  test("the interval holds the true difference about as often as it says", () => {
    const random = createRandom(7);
    const exponential = (mean: number) => Array.from({ length: 200 }, () => -mean * Math.log(1 - random()));
    const truth = -Math.log(0.05) * (30 - 20);
    let covered = 0;
    for (let round = 0; round < 400; round += 1) {
      const [low, high] = judgeProbes({ edge: exponential(20), nodejs: exponential(30) }).confidence95 ?? [1, 0];
      if (low <= truth && truth <= high) covered += 1;
    }
    expect(covered / 400).toBeGreaterThan(0.91);
  });
});
