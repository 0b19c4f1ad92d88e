/** A span's attributes: counts, kinds, our own ids. Never message text, a secret, or a person's identity. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>;

/** Our own spans, beside Next's for each request: they show where the time of a delivery goes. */
export interface Trace {
  /**
   * Runs `work` as a span. An error is rethrown; the span gets only its name. `parent`: the `traceparent` of a span elsewhere,
   * in the place of the running one.
   */
  span<T>(name: string, facts: SpanFacts, work: () => Promise<T>, parent?: string): Promise<T>;
  /** Adds attributes to the running span. */
  tell(facts: SpanFacts): void;
  /** Marks the running span as failed, with the error's name or code. */
  fail(errorName: string): void;
  /** The header that makes the running span the parent of one elsewhere; null without a running span. https://www.w3.org/TR/trace-context/ */
  traceparent(): string | null;
}

/** For a process without OpenTelemetry: runs the work and records nothing. */
export const noTrace: Trace = {
  span: (_name, _facts, work) => work(),
  tell: () => {},
  fail: () => {},
  traceparent: () => null,
};

/** A build may give instrumentation.ts and each route its own copy of this module, but they share the global object. */
const processTrace = Symbol.for("instagram-webhook-relay.trace");
type Process = typeof globalThis & { [processTrace]?: Trace };

/** Sets the trace of every route of the process. */
export function provideTrace(trace: Trace): void {
  (globalThis as Process)[processTrace] = trace;
}

/** Whether OpenTelemetry was not started, so that no span of ours needs that of the request, which Next begins. */
export function isUntraced(): boolean {
  return (globalThis as Process)[processTrace] === undefined;
}

/** The process's trace: `noTrace` unless OpenTelemetry was started. */
export function getTrace(): Trace {
  return (globalThis as Process)[processTrace] ?? noTrace;
}
