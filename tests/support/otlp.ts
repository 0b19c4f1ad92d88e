import type { Sink } from "./http-sink.ts";

export interface Span {
  name: string;
  traceId: string;
  spanId: string;
  /** Empty for the first of a trace. */
  parentSpanId: string;
  durationMs: number;
  failed: boolean;
  attributes: Record<string, string | number | boolean>;
  events: { name: string; attributes: Record<string, string | number | boolean> }[];
}

interface Attribute {
  key: string;
  value: { stringValue?: string; intValue?: number; doubleValue?: number; boolValue?: boolean };
}

interface OtlpSpan extends Omit<Span, "attributes" | "events" | "parentSpanId"> {
  parentSpanId?: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Attribute[];
  events: { name: string; attributes: Attribute[] }[];
  status: { code: number };
}

/** https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto */
const errorStatus = 2;

/** The spans that a collector has received as OTLP's JSON. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
export function readSpans(collector: Sink): Span[] {
  return collector.requests.flatMap(({ body }) => {
    const { resourceSpans } = JSON.parse(body.toString()) as {
      resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[];
    };
    return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(readSpan)));
  });
}

function readSpan(span: OtlpSpan): Span {
  const { name, traceId, spanId, parentSpanId = "" } = span;
  return {
    name,
    traceId,
    spanId,
    parentSpanId,
    durationMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
    failed: span.status.code === errorStatus,
    attributes: readAttributes(span.attributes),
    events: span.events.map((event) => ({ name: event.name, attributes: readAttributes(event.attributes) })),
  };
}

function readAttributes(attributes: readonly Attribute[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, Object.values(value)[0] as string | number | boolean]),
  );
}
