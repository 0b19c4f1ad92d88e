// Builds OpenTelemetry's adapters from the environment; instrumentation.ts loads this only if it is configured.
import { waitUntil } from "@vercel/functions";

import { startOpenTelemetry } from "#tracing/open-telemetry.ts";
import { readTracingSettings } from "#tracing/tracing-settings.ts";

import packageJson from "../package.json" with { type: "json" };
import { clock, log } from "./log.ts";

/** Starts OpenTelemetry for this process. Never throws. */
export function startTracing(): void {
  // instrumentation.ts has checked that it is not "true". @vercel/otel would take any other value for it, too.
  delete process.env["OTEL_SDK_DISABLED"];
  startOpenTelemetry({ ...readTracingSettings(process.env), version: packageJson.version, waitUntil, clock, log });
}
