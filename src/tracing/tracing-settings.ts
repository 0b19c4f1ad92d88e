import { type EnvRecord, readEnv } from "#platform/env.ts";
import { readRelayUrls } from "#platform/relay-urls.ts";

/** What OpenTelemetry's start depends on, from the environment. */
export interface TracingSettings {
  onVercel: boolean;
  /** Whether `OTEL_TRACES_SAMPLER` decides what is recorded. */
  samplerIsSet: boolean;
  /** Our own addresses: a request to them belongs to the trace in which it is made. */
  relayUrls: readonly string[];
  /** Addresses, beside our own, whose paths may be shown. */
  shownUrls: readonly string[];
  /** The collector's limit for one request; spans that it does not accept are dropped. */
  exportTimeoutMs: number;
}

/** The specification's ten seconds are too long for a server that is stopping and for a function that is paid for. */
const exportTimeoutMs = 1_500;

/** Reads the settings. Never throws: a variable that is missing here is reported by the routes that need it. */
export function readTracingSettings(record: EnvRecord): TracingSettings {
  return {
    onVercel: record["VERCEL"] === "1",
    samplerIsSet: record["OTEL_TRACES_SAMPLER"] !== undefined,
    relayUrls: readRelayUrls(record),
    shownUrls: readQstashUrls(record),
    exportTimeoutMs: Number(record["OTEL_EXPORTER_OTLP_TIMEOUT"]) || exportTimeoutMs,
  };
}

function readQstashUrls(record: EnvRecord): readonly string[] {
  try {
    return [readEnv(record, ["QSTASH_URL"]).QSTASH_URL];
  } catch {
    return [];
  }
}
