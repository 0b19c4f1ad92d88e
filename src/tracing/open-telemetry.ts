import { type ProxyTracerProvider, trace as openTelemetry, type TracerProvider } from "@opentelemetry/api";
import { FetchInstrumentation, registerOTel } from "@vercel/otel";

import type { Clock } from "#platform/clock.ts";
import type { Log } from "#platform/log.ts";

import { createExportFetch } from "./export-fetch.ts";
import { createOpenTelemetryTrace } from "./open-telemetry-trace.ts";
import { createSpanProcessor } from "./span-processor.ts";
import { provideTrace } from "./trace.ts";

export interface OpenTelemetryOptions {
  version: string;
  onVercel: boolean;
  /** Whether `OTEL_TRACES_SAMPLER` says what to record. */
  samplerIsSet: boolean;
  /** Our own addresses: a request to them belongs to the trace it is made in. */
  relayUrls: readonly string[];
  /** Addresses, beside our own, whose paths may be shown. */
  shownUrls: readonly string[];
  /** A collector gets this long for one request; spans that it does not take are dropped. */
  exportTimeoutMs: number;
  waitUntil: (promise: Promise<void>) => void;
  clock: Clock;
  log: Log;
}

/**
 * Starts OpenTelemetry for this process: where spans go and how many are recorded say the variables of its
 * specification, which @vercel/otel reads. Next makes the spans of requests, and of loading routes.
 */
export function startOpenTelemetry(options: OpenTelemetryOptions): void {
  const { clock, log, relayUrls, exportTimeoutMs: timeoutMs } = options;
  globalThis.fetch = createExportFetch({ fetch: globalThis.fetch, timeoutMs, clock, log });
  registerOTel({
    serviceName: "instagram-webhook-relay",
    attributes: {
      "service.version": options.version,
      // It says "vercel" wherever it runs.
      ...(options.onVercel ? {} : { "cloud.provider": undefined }),
    },
    // The specification's own default: whoever began a trace has decided whether it is recorded.
    traceSampler: options.samplerIsSet ? "auto" : "parentbased_always_on",
    // Of several the last decides: what came through the queue before what Vercel says of the invocation.
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

/** `node:http` stays as it is: wrapped, it throws for `{ socketPath }`, which a handler may well use. */
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
    // Logged where the request failed.
  }
}
