import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace as openTelemetry,
} from "@opentelemetry/api";

import { RelayError } from "#platform/errors.ts";

import type { Trace } from "./trace.ts";

/** `Trace` on the tracer that is registered with OpenTelemetry. */
export function createOpenTelemetryTrace(): Trace {
  const tracer = openTelemetry.getTracer("instagram-webhook-relay");
  return {
    span: (name, facts, work, parent) =>
      tracer.startActiveSpan(name, { attributes: facts }, contextOf(parent), async (span) => {
        try {
          return await work();
        } catch (thrown) {
          markFailed(span, nameOf(thrown));
          throw thrown;
        } finally {
          span.end();
        }
      }),
    tell: (facts) => {
      openTelemetry.getActiveSpan()?.setAttributes(facts);
    },
    fail: (errorName) => {
      const span = openTelemetry.getActiveSpan();
      if (span !== undefined) markFailed(span, errorName);
    },
    traceparent: () => {
      const headers: { traceparent?: string } = {};
      propagation.inject(context.active(), headers);
      return headers.traceparent ?? null;
    },
  };
}

/** The running context, or one of a span elsewhere. */
function contextOf(parent: string | undefined): Context {
  return parent === undefined ? context.active() : propagation.extract(ROOT_CONTEXT, { traceparent: parent });
}

/** https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/ */
function markFailed(span: Span, errorName: string): void {
  span.setAttribute("error.type", errorName);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Without the message, which may quote a customer's, or a statement with its values. */
function nameOf(thrown: unknown): string {
  if (thrown instanceof RelayError) return thrown.code;
  return thrown instanceof Error ? thrown.name : typeof thrown;
}
