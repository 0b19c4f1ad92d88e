import { describe, expect, it } from "vitest";

import { backoffMs, parseRetryAfterMs, retryDelayMs } from "#broker/delivery/backoff.ts";
import { parseDurationMs } from "#broker/duration.ts";
import { parseRetryDelay } from "#broker/delivery/retry-delay.ts";
import type { HeaderMap } from "#broker/message.ts";

describe("backoffMs", () => {
  it.each([
    [1, 12],
    [2, 148],
    [3, 1808],
    [4, 22_026],
    [5, 86_400],
    [1000, 86_400],
  ])("waits before retry %i for %i s", (retry, seconds) => {
    expect(backoffMs(retry)).toBe(seconds * 1000);
  });
});

describe("parseRetryAfterMs", () => {
  const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);

  it.each([
    ["0", 0],
    [" 7 ", 7000],
    ["1.5", 1500],
    ["Fri, 02 Jan 2026 03:05:05 GMT", 60_000],
    ["Thu, 01 Jan 2026 00:00:00 GMT", 0],
    ["6m5s", 365_000],
    ["20ms", 20],
    ["1µs", 1],
    ["-5", undefined],
    ["soon", undefined],
    ["", undefined],
    ["Never, ever", undefined],
  ])("reads %j as %j ms", (value, expected) => {
    expect(parseRetryAfterMs(value, nowMs)).toBe(expected);
  });
});

describe("retryDelayMs", () => {
  const delayMs = (retry: number, header: HeaderMap, retryDelay: string | null = null) =>
    retryDelayMs({ message: { retried: retry - 1, retryDelay }, header, nowMs: 0, delayMsMax: 1_000_000_000 });

  it("follows the publisher's expression, in milliseconds, unless the receiver asks for something", () => {
    expect(delayMs(1, {}, "pow(2, retried) * 1000")).toBe(1000);
    expect(delayMs(4, {}, "pow(2, retried) * 1000")).toBe(8000);
    expect(delayMs(4, { "Retry-After": ["3"] }, "pow(2, retried) * 1000")).toBe(3000);
  });

  it("keeps an expression between now and the longest delay, and backs off where it has no value", () => {
    expect(delayMs(1, {}, "-5")).toBe(0);
    expect(delayMs(1, {}, "pow(10, 300)")).toBe(1_000_000_000);
    expect(delayMs(1, {}, "1 / retried")).toBe(1_000_000_000);
    expect(delayMs(2, {}, "sqrt(0 - retried)")).toBe(148_000);
  });

  it("prefers what the receiver asks for to the back-off", () => {
    expect(delayMs(2, { "Retry-After": ["3"] })).toBe(3000);
    expect(delayMs(2, { "X-Ratelimit-Reset-Tokens": ["6m"] })).toBe(360_000);
  });

  it("ignores more than a day, as an epoch in X-RateLimit-Reset is", () => {
    expect(delayMs(1, { "X-Ratelimit-Reset": ["1767322800"] })).toBe(12_000);
    expect(delayMs(1, { "Retry-After": ["86400"] })).toBe(86_400_000);
    expect(delayMs(1, { "Retry-After": ["86401"], "X-Ratelimit-Reset": ["5"] })).toBe(5000);
  });
});

describe("parseRetryDelay", () => {
  it.each(["1 constructor 2", "constructor(1)", "retried constructor"])("refuses %j", (text) => {
    expect(parseRetryDelay(text)).toBeUndefined();
  });
});

describe("parseDurationMs", () => {
  it.each([
    ["10s", 10_000],
    ["1d10h30m", 124_200_000],
    ["1.5s", 1500],
    ["5", undefined],
    ["5x", undefined],
    ["5s!", undefined],
    ["", undefined],
  ])("reads %j as %j ms", (text, expected) => {
    expect(parseDurationMs(text)).toBe(expected);
  });
});
