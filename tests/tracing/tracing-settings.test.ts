import { expect, test } from "vitest";

import { readTracingSettings } from "#tracing/tracing-settings.ts";

test("a malformed variable costs only the setting that it belongs to", () => {
  expect(readTracingSettings({ RELAY_URL: "https://relay.example", QSTASH_URL: "nonsense" })).toEqual({
    onVercel: false,
    samplerIsSet: false,
    relayUrls: ["https://relay.example"],
    shownUrls: [],
    exportTimeoutMs: 1_500,
  });
  expect(
    readTracingSettings({
      VERCEL: "1",
      RELAY_URL: "/",
      OTEL_TRACES_SAMPLER: "always_on",
      OTEL_EXPORTER_OTLP_TIMEOUT: "9",
    }),
  ).toMatchObject({
    onVercel: true,
    samplerIsSet: true,
    relayUrls: [],
    shownUrls: ["https://qstash.upstash.io"],
    exportTimeoutMs: 9,
  });
});
