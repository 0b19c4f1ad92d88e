import type { EnvRecord } from "#platform/env.ts";
import { parseUrl } from "#platform/parse-url.ts";

/** Where metrics are pushed to. */
export interface OtlpTarget {
  url: string;
  headers: Readonly<Record<string, string>>;
  timeoutMs: number;
}

/** The specification's limit for one export. */
const timeoutMsDefault = 10_000;
/** A part of maintenance has six seconds. */
const timeoutMsMax = 5_000;

/**
 * Reads the target from OpenTelemetry's variables; null unless `OTEL_METRICS_EXPORTER` is `otlp` and there is an endpoint. The
 * specification exports metrics by default: here it has to be asked for, because an operator who set an endpoint for traces did not.
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function readOtlpTarget(record: EnvRecord): OtlpTarget | null {
  const of = (name: string) => record[`OTEL_EXPORTER_OTLP_METRICS_${name}`] ?? record[`OTEL_EXPORTER_OTLP_${name}`];
  const isWanted =
    record["OTEL_METRICS_EXPORTER"]?.trim() === "otlp" && record["OTEL_SDK_DISABLED"]?.trim().toLowerCase() !== "true";
  const own = record["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"]?.trim() ?? "";
  const common = record["OTEL_EXPORTER_OTLP_ENDPOINT"]?.trim().replace(/\/+$/, "") ?? "";
  const url = own === "" && common !== "" ? `${common}/v1/metrics` : own;
  if (!isWanted || !/^https?:\/\/[^\s@]+$/i.test(url) || parseUrl(url) === null) return null;
  return {
    url,
    headers: parseHeaders(of("HEADERS") ?? ""),
    timeoutMs: timeoutOf(of("TIMEOUT")),
  };
}

/** In milliseconds; what is none counts as not set. */
function timeoutOf(text = ""): number {
  const ms = /^\s*\d{1,9}\s*$/.test(text) ? Number(text) : 0;
  return Math.min(ms === 0 ? timeoutMsDefault : ms, timeoutMsMax);
}

/** Of the connection, and of what is sent: `fetch` sets or refuses them, and every push would fail. */
const ownHeaders =
  /^(connection|content-(encoding|length|type)|expect|host|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/i;

/** `key=value` pairs, separated by commas, with percent-encoded values. What is malformed is left out. */
function parseHeaders(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(",").flatMap((pair) => {
      const [, name = "", encoded = ""] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
      const value = decoded(encoded);
      return name === "" || value === undefined || ownHeaders.test(name) ? [] : [[name.toLowerCase(), value]];
    }),
  );
}

function decoded(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text);
    return /^[\x20-\x7e]*$/.test(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
