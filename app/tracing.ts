// Builds OpenTelemetry's adapters from the environment; instrumentation.ts loads this only if it is configured.
import { waitUntil } from "@vercel/functions";

import { systemClock as clock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { describeCause } from "#platform/log.ts";
import { startOpenTelemetry } from "#tracing/open-telemetry.ts";

import { log } from "./log.ts";
import packageJson from "../package.json" with { type: "json" };

/** The specification's ten seconds are long for a server that was told to stop, and for a function that is paid for. */
const exportTimeoutMs = 1_500;

/** What cannot be read of the configuration leaves the server without traces, not the sender without a server. */
export function startTracing(): void {
  // By the specification only "true" disables, and whoever calls this has looked; @vercel/otel takes any word for it.
  delete process.env["OTEL_SDK_DISABLED"];
  try {
    startOpenTelemetry({
      version: packageJson.version,
      onVercel: process.env["VERCEL"] === "1",
      samplerIsSet: process.env["OTEL_TRACES_SAMPLER"] !== undefined,
      exportTimeoutMs: Number(process.env["OTEL_EXPORTER_OTLP_TIMEOUT"]) || exportTimeoutMs,
      ...readUrls(),
      waitUntil,
      clock,
      log,
    });
  } catch (thrown) {
    log.error("tracing.failed", describeCause(thrown));
  }
}

/** A gap here is told by the routes that need the variable; a trace does without. */
function readUrls() {
  try {
    const { RELAY_URL, QSTASH_URL } = readEnv(process.env, ["RELAY_URL", "QSTASH_URL"]);
    return { relayUrls: RELAY_URL, shownUrls: [QSTASH_URL] };
  } catch {
    return { relayUrls: [], shownUrls: [] };
  }
}
