import { describe, expect, test } from "vitest";

import { HandlerError } from "#handlers/handler.ts";
import { readRetryAfterMs, retryDelayMs, shedRetryAfterSeconds } from "#ingestion/retry-delay.ts";

const nowMs = 1_700_000_000_000;
const day = 86_400_000;

describe("readRetryAfterMs()", () => {
  test.each<[string, object, number | null]>([
    ["milliseconds", new HandlerError("busy", { retryAfterMs: 90_000 }), 90_000],
    ["seconds", { retryAfter: 90 }, 90_000],
    ["a date", { retryAfter: new Date(nowMs + 90_000) }, 90_000],
    ["less than a second", { retryAfterMs: 1 }, 1_000],
    ["the past", { retryAfter: new Date(0) }, 1_000],
    ["a year", { retryAfterMs: 365 * day }, day],
    ["never", { retryAfterMs: Infinity }, day],
    ["no date", { retryAfter: new Date(Number.NaN) }, null],
    ["a text", { retryAfter: "soon" }, null],
    ["nothing", {}, null],
  ])("reads %s", (_name, error, expected) => {
    expect(readRetryAfterMs(error, nowMs)).toBe(expected);
  });
});

describe("retryDelayMs()", () => {
  test("varies by ten per cent and stays at a day after the eighth retry", () => {
    expect([retryDelayMs(1, () => 0), retryDelayMs(1, () => 0.5), retryDelayMs(1, () => 1)]).toEqual([
      9_000, 10_000, 11_000,
    ]);
    expect([retryDelayMs(8, () => 0.5), retryDelayMs(50, () => 0.5)]).toEqual([day, day]);
  });
});

describe("shedRetryAfterSeconds()", () => {
  test.each([0, 1, 2, 3, 4, 5, 1_000])("is never shorter than QStash's own delay after %i retries", (retried) => {
    const own = Math.min(day / 1_000, Math.exp(2.5 * (retried + 1)));
    for (const random of [0, 0.5, 0.999]) {
      const seconds = shedRetryAfterSeconds(retried, () => random);
      expect(seconds).toBeGreaterThanOrEqual(own);
      expect(seconds).toBeLessThanOrEqual(Math.min(day / 1_000, own * 1.2 + 1));
    }
  });
});
