import { describe, expect, test } from "vitest";

import { windowEndingAt, windowNames } from "#measurements/runtime-comparison.ts";

const nowMs = Date.parse("2026-01-31T12:34:56.789Z");

describe("windows", () => {
  test.each(windowNames)("%s has at most 60 intervals that cover it without a gap", (name) => {
    const window = windowEndingAt(name, nowMs);
    const starts = window.bucketStartsMs;
    expect(starts.length).toBeLessThanOrEqual(60);
    expect(starts[0]).toBe(window.fromMs);
    expect((starts.at(-1) ?? 0) + window.bucketMs).toBeGreaterThanOrEqual(window.toMs);
    for (const [index, start] of starts.entries()) expect(start).toBe((starts[0] ?? 0) + index * window.bucketMs);
  });

  test("intervals stay where they are while time passes", () => {
    const starts = new Set(windowEndingAt("1h", nowMs).bucketStartsMs);
    const later = windowEndingAt("1h", nowMs + 5_000).bucketStartsMs;
    expect(later.filter((start) => starts.has(start)).length).toBeGreaterThanOrEqual(starts.size - 1);
  });
});
