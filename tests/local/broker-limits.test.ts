import { expect, test } from "vitest";

import { readBrokerLimits, requireRetriesWithinLimit } from "#local/broker-limits.ts";

test("without variables the limits are those of Upstash's smallest plan", () => {
  expect(readBrokerLimits({ QSTASH_LIMIT_RETRIES: " " })).toEqual({
    retriesMax: 5,
    messageBytesMax: 1_048_576,
    messagesPerDay: null,
    requestsPerSecond: null,
  });
});

test.each(["0", "-1", "many", "1.5"])("QSTASH_LIMIT_RETRIES=%s is refused", (QSTASH_LIMIT_RETRIES) => {
  expect(() => readBrokerLimits({ QSTASH_LIMIT_RETRIES })).toThrow(/^QSTASH_LIMIT_RETRIES must be a whole number/);
});

test("retries beyond the limit are refused: each publish would be answered with 412", () => {
  expect(() => requireRetriesWithinLimit({})).not.toThrow();
  expect(() => requireRetriesWithinLimit({ QSTASH_RETRIES: "5" })).not.toThrow();
  expect(() => requireRetriesWithinLimit({ QSTASH_RETRIES: "6" })).toThrow(/^QSTASH_RETRIES is 6, .* allows 5 /);
});

test("QSTASH_LIMIT_RETRIES raises and lowers that limit", () => {
  expect(() => requireRetriesWithinLimit({ QSTASH_RETRIES: "9", QSTASH_LIMIT_RETRIES: "10" })).not.toThrow();
  expect(() => requireRetriesWithinLimit({ QSTASH_LIMIT_RETRIES: "3" })).toThrow(/^QSTASH_RETRIES is 5, .* allows 3 /);
});
