import { type ProxyTracerProvider, trace as openTelemetry, type TracerProvider } from "@opentelemetry/api";
import { FetchInstrumentation, registerOTel } from "@vercel/otel";

import type { Clock } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";

import { createExportFetch } from "./export-fetch.ts";
import { createOpenTelemetryTrace } from "./open-telemetry-trace.ts";
import { createSpanProcessor } from "./span-processor.ts";
import { provideTrace } from "./trace.ts";
import type { TracingSettings } from "./tracing-settings.ts";

export interface OpenTelemetryOptions extends TracingSettings {
  version: string;
  waitUntil: (promise: Promise<void>) => void;
  clock: Clock;
  log: Log;
}

/**
 * Starts OpenTelemetry for this process. The variables of its specification, which @vercel/otel reads, say where spans go
 * and how many are recorded. Next makes the spans of requests and of loading routes. Never throws: with a configuration
 * that cannot be used the server runs without traces, and the log says so.
 */
export function startOpenTelemetry(options: OpenTelemetryOptions): void {
  try {
    start(options);
  } catch (thrown) {
    options.log.error("tracing.failed", describeCause(thrown));
  }
}

function start(options: OpenTelemetryOptions): void {
  const { clock, log, relayUrls, exportTimeoutMs: timeoutMs } = options;
  globalThis.fetch = createExportFetch({ fetch: globalThis.fetch, timeoutMs, clock, log });
  registerOTel({
    serviceName: "instagram-webhook-relay",
    attributes: {
      "service.version": options.version,
      // @vercel/otel says "vercel" on every platform.
      ...(options.onVercel ? {} : { "cloud.provider": undefined }),
    },
    // The specification's own default: the sender of a request that continues a trace has decided whether to record it.
    traceSampler: options.samplerIsSet ? "auto" : "parentbased_always_on",
    // The last one wins: the trace that came through the queue takes precedence over Vercel's of the invocation.
    propagators: ["auto", "tracecontext"],
    instrumentations: [new FetchOnly({ propagateContextUrls: relayUrls.map((url) => `${url}/`) })],
    spanProcessors: [
      createSpanProcessor({
        ownUrls: [...relayUrls, ...options.shownUrls],
        send: sendSpans,
        waitUntil: options.waitUntil,
        clock,
      }),
      "auto",
    ],
  });
  provideTrace(createOpenTelemetryTrace());
}

/** `node:http` is not instrumented: its wrapper throws for `{ socketPath }`, which a handler may use. */
class FetchOnly extends FetchInstrumentation {
  override enable(): void {
    this.instrumentFetch();
  }
}

async function sendSpans(): Promise<void> {
  const proxy = openTelemetry.getTracerProvider() as ProxyTracerProvider;
  const provider = proxy.getDelegate() as TracerProvider & { forceFlush?: () => Promise<void> };
  try {
    await provider.forceFlush?.();
  } catch {
    // The export's own fetch has logged it.
  }
}
