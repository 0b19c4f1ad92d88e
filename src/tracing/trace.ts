/** What a span tells: counts, kinds, ids of our own. Never message text, a secret, or who a person is. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>;

/** Spans of our own, beside those that Next makes of each request: where the time of a delivery went. */
export interface Trace {
  /** Runs `work` as a span; what it throws is thrown on, and of it the span tells only the name. */
  span<T>(name: string, facts: SpanFacts, work: () => Promise<T>): Promise<T>;
  /** Adds to the span that is running. */
  tell(facts: SpanFacts): void;
  /** Marks the span that is running as failed, by the error's name or code. */
  fail(errorName: string): void;
  /** What makes the span that is running the parent of one elsewhere; null if none is. https://www.w3.org/TR/trace-context/ */
  traceparent(): string | null;
}

/** Without OpenTelemetry: the work and nothing else. */
export const noTrace: Trace = {
  span: (_name, _facts, work) => work(),
  tell: () => {},
  fail: () => {},
  traceparent: () => null,
};

/** A build may give instrumentation.ts and each route a copy of this module; the global object they share. */
const processTrace = Symbol.for("instagram-webhook-relay.trace");
type Process = typeof globalThis & { [processTrace]?: Trace };

/** Makes this the trace of every route of the process. */
export function provideTrace(trace: Trace): void {
  (globalThis as Process)[processTrace] = trace;
}

/** The process's trace: `noTrace` unless OpenTelemetry was started. */
export function getTrace(): Trace {
  return (globalThis as Process)[processTrace] ?? noTrace;
}
