import type { Span } from "@opentelemetry/api";
import type { Configuration } from "@vercel/otel";

import { type Clock, sleep } from "#platform/clock.ts";

import { redactEnded, redactStarted } from "./redact-span.ts";

type SpanProcessor = Exclude<NonNullable<Configuration["spanProcessors"]>[number], string>;

export interface SpanProcessorOptions {
  /** Addresses whose paths may be shown. */
  ownUrls: readonly string[];
  /** Sends every ended span, within a time limit. Never rejects. */
  send: () => Promise<void>;
  /** Keeps the running request's invocation alive; throws or does nothing outside a request. */
  waitUntil: (promise: Promise<void>) => void;
  clock: Clock;
}

/** Spans of one request end within a few milliseconds of each other and are sent together. */
const sendDelayMs = 100;

/** Adds what @vercel/otel's own processors lack: spans that outlive their request, privacy, and sending in time. */
export function createSpanProcessor({ ownUrls, send, waitUntil, clock }: SpanProcessorOptions): SpanProcessor {
  const keepOpen = createEndGuard();
  const keptFor = new Set<string>();
  let sending = Promise.resolve();
  let next: Promise<void> | undefined;

  /** One request at a time; spans that end meanwhile are sent with the next one. */
  async function sendNext(): Promise<void> {
    await Promise.all([sleep(clock, sendDelayMs), sending]);
    next = undefined;
    keptFor.clear();
    sending = send();
    await sending;
  }

  return {
    onStart(span) {
      redactStarted(span, ownUrls);
      keepOpen(span);
    },
    onEnd(span) {
      redactEnded(span);
      next ??= sendNext();
      const { traceId } = span.spanContext();
      if (keptFor.has(traceId)) return;
      try {
        waitUntil(next);
        keptFor.add(traceId);
      } catch {
        // The request's own span ends outside the request, and a span within it has called `waitUntil` before.
      }
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

/**
 * When the first request of a trace ends, @vercel/otel ends every open span of that trace. But a publish continues after
 * the ack, and the batches of a delivery are simultaneous requests of one trace. So an end that is called from within
 * another span's end is ignored; ours never is.
 */
function createEndGuard(): (span: Span) => void {
  let isEnding = false;
  return (span) => {
    const end = span.end.bind(span);
    span.end = (endTime) => {
      if (isEnding) return;
      isEnding = true;
      try {
        end(endTime);
      } finally {
        isEnding = false;
      }
    };
  };
}
