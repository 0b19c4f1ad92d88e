import type { Span } from "@opentelemetry/api";
import type { Configuration } from "@vercel/otel";

import { type Clock, sleep } from "#platform/clock.ts";

import { redactEnded, redactStarted } from "./redact-span.ts";

type SpanProcessor = Exclude<NonNullable<Configuration["spanProcessors"]>[number], string>;

export interface SpanProcessorOptions {
  /** Addresses whose paths may be shown. */
  ownUrls: readonly string[];
  /** Sends every span that has ended. Bounded in time and never rejects. */
  send: () => Promise<void>;
  /** Keeps the running request's invocation alive; throws or does nothing where no request runs. */
  waitUntil: (promise: Promise<void>) => void;
  clock: Clock;
}

/** Spans of one request end within a few milliseconds of each other: they leave together. */
const sendDelayMs = 100;

/** What @vercel/otel's own processors lack for us: spans that outlive their request, privacy, and being sent in time. */
export function createSpanProcessor({ ownUrls, send, waitUntil, clock }: SpanProcessorOptions): SpanProcessor {
  const keepOpen = createEndGuard();
  const keptFor = new Set<string>();
  let sending = Promise.resolve();
  let next: Promise<void> | undefined;

  /** One sending at a time; what ends meanwhile leaves with the next. */
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
        // The span of the request as a whole ends outside of it; one within has asked before.
      }
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

/**
 * When the first request of a trace ends, @vercel/otel ends every span of that trace that is still open. A publish goes
 * on after the ack, and the parts of a delivery are requests of one trace at once, so those ends are not taken: they
 * come from within the end of another span, and ours never do.
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
