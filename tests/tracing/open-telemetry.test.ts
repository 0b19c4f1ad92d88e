import http from "node:http";

import { context, propagation, SpanKind, SpanStatusCode, trace as openTelemetry } from "@opentelemetry/api";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";

import { systemClock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import { startOpenTelemetry } from "#tracing/open-telemetry.ts";
import { getTrace, noTrace } from "#tracing/trace.ts";

import { register } from "../../instrumentation.ts";
import { eventually } from "../support/eventually.ts";
import { type Respond, type Sink, startSink } from "../support/http-sink.ts";
import { readSpans, type Span } from "../support/otlp.ts";
import { createRecordingLog } from "../support/recording-log.ts";

const names = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SDK_DISABLED", "NEXT_RUNTIME"];

describe("instrumentation", () => {
  const { fetch } = globalThis;
  afterEach(() => {
    for (const name of names) delete process.env[name];
    globalThis.fetch = fetch;
  });

  test.each([
    ["nothing is set", {}],
    ["the endpoint is empty", { OTEL_EXPORTER_OTLP_ENDPOINT: " " }],
    ["it is disabled", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_SDK_DISABLED: "TRUE" }],
    ["this is the edge", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", NEXT_RUNTIME: "edge" }],
  ])("starts nothing if %s", async (_name, env) => {
    Object.assign(process.env, { NEXT_RUNTIME: "nodejs", ...env });
    await register();
    expect([getTrace(), globalThis.fetch]).toEqual([noTrace, fetch]);
  });

  test("lets the server start without traces if it cannot read how to send them", async () => {
    const errors = vi.spyOn(console, "error").mockReturnValue();
    onTestFinished(() => errors.mockRestore());
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_HEADERS: "key=%zz" };
    Object.assign(process.env, { NEXT_RUNTIME: "nodejs", ...env });
    await register();
    expect(getTrace()).toBe(noTrace);
    expect(errors).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("URIError"));
  });
});

describe("OpenTelemetry", () => {
  const recording = createRecordingLog();
  const waitedFor: Promise<void>[] = [];
  /** How many of them have ended. */
  let ended = 0;
  const { request } = http;
  let collector: Sink;
  let answer: Respond = () => ({});
  let elsewhere: Sink;

  beforeAll(async () => {
    elsewhere = await startSink();
    collector = await startSink({ respond: (...asked) => answer(...asked) });
    process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url;
    process.env["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/json";
    startOpenTelemetry({
      version: "1.2.3",
      onVercel: false,
      samplerIsSet: false,
      relayUrls: [`${elsewhere.url}/relay`],
      shownUrls: [],
      exportTimeoutMs: 200,
      waitUntil: (promise) => waitedFor.push(promise.then(() => void (ended += 1))),
      clock: systemClock,
      log: recording.log,
    });
  });
  afterAll(() => Promise.all([collector.close(), elsewhere.close()]));

  const named = (name: string): Promise<Span> =>
    eventually(`the collector has a span named ${name}`, () => readSpans(collector).find((span) => span.name === name));

  test("sends a span with its facts, and keeps the invocation alive until it is sent", async () => {
    const work = getTrace().span("plain", { "relay.batch.events": 2 }, async () => getTrace().tell({ late: true }));
    await work;
    expect(collector.requests).toHaveLength(0);
    await Promise.all(waitedFor);
    expect(readSpans(collector)).toMatchObject([
      { name: "plain", attributes: { "relay.batch.events": 2, late: true } },
    ]);
  });

  test("a span can continue a trace from elsewhere, whichever span runs", async () => {
    const [traceId, spanId] = ["e".repeat(32), "f".repeat(16)];
    await getTrace().span("waking", {}, () =>
      getTrace().span(
        "continued",
        {},
        () => getTrace().span("within", {}, async () => {}),
        `00-${traceId}-${spanId}-01`,
      ),
    );
    const { spanId: continued } = await named("continued");
    expect(await named("continued")).toMatchObject({ traceId, parentSpanId: spanId });
    expect(await named("within")).toMatchObject({ traceId, parentSpanId: continued });
  });

  test("marks a span whose work throws with the error's name, and rethrows", async () => {
    const failing = (thrown: Error) => getTrace().span(thrown.message, {}, () => Promise.reject(thrown));
    await expect(failing(new RelayError("STORE_UNAVAILABLE", "coded"))).rejects.toThrow("coded");
    await expect(failing(new TypeError("named"))).rejects.toThrow("named");
    expect(await named("coded")).toMatchObject({ failed: true, attributes: { "error.type": "STORE_UNAVAILABLE" } });
    expect(await named("named")).toMatchObject({ failed: true, attributes: { "error.type": "TypeError" } });
  });

  test("leaves out the messages of exceptions, query strings and paths of foreign addresses", async () => {
    const tracer = openTelemetry.getTracer("next.js");
    const attributes = { "http.target": "/dashboard/sign-in?token=secret", "http.route": "/dashboard/sign-in" };
    tracer.startActiveSpan("outer", { kind: SpanKind.SERVER, attributes }, (span) => {
      span.recordException(new RangeError("secret words"));
      span.setStatus({ code: SpanStatusCode.ERROR, message: "secret words" });
      span.end();
    });
    await fetch(`${elsewhere.url}/17841400000000001/messages?access_token=secret`);
    await fetch(`${elsewhere.url}/relay/api/health?token=secret`);

    const outer = await named("outer");
    expect(outer.attributes).toMatchObject({ "http.route": "/dashboard/sign-in" });
    expect(outer.events).toEqual([{ name: "exception", attributes: { "exception.type": "RangeError" } }]);
    expect(await named(`fetch GET ${elsewhere.url}`)).toMatchObject({ attributes: { "http.url": elsewhere.url } });
    await named(`fetch GET ${elsewhere.url}/relay/api/health`);
    expect(collector.requests.map(({ body }) => body.toString()).join()).not.toMatch(/secret|17841400000000001/);
  });

  test("sends the trace to our own addresses only", async () => {
    const before = elsewhere.requests.length;
    await getTrace().span("caller", {}, async () => {
      await fetch(`${elsewhere.url}/relay/api/health`);
      await fetch(`${elsewhere.url}/relayed`);
    });
    const [ours, others] = elsewhere.requests.slice(before).map(({ headers }) => headers["traceparent"]);
    const { traceId } = await named("caller");
    expect(ours).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    expect(others).toBeUndefined();
  });

  test("ends no span before its work ends, though the first request of its trace has ended", async () => {
    const carrier = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
    const remote = propagation.extract(context.active(), carrier);
    const tracer = openTelemetry.getTracer("next.js");
    const first = tracer.startSpan("first request", { kind: SpanKind.SERVER }, remote);
    const inFirst = tracer.startSpan("forward", {}, openTelemetry.setSpan(remote, first));
    const second = tracer.startSpan("second request", { kind: SpanKind.SERVER }, remote);
    first.end();
    expect([inFirst.isRecording(), second.isRecording()]).toEqual([true, true]);
    for (const span of [inFirst, second]) span.setAttribute("late", true).end();
    for (const name of ["forward", "second request"]) {
      expect(await named(name)).toMatchObject({ attributes: { late: true } });
    }
  });

  test("records no span of a trace that its caller does not record", async () => {
    const remote = propagation.extract(context.active(), { traceparent: `00-${"c".repeat(32)}-${"d".repeat(16)}-00` });
    expect(openTelemetry.getTracer("next.js").startSpan("unwanted", {}, remote).isRecording()).toBe(false);
  });

  test.each([
    ["stays silent", () => new Promise<never>(() => {}), { cause: "TimeoutError" }],
    ["refuses", () => ({ status: 401 }), { status: 401 }],
  ])("a collector that %s delays no span and is logged once", async (_name, respond: Respond, why) => {
    await Promise.all(waitedFor);
    const logged = recording.lines.length;
    answer = respond;
    for (let time = 0; time < 2; time += 1) {
      const before = ended;
      await getTrace().span("lost", {}, async () => {});
      expect(ended).toBe(before);
      await Promise.all(waitedFor);
      expect(ended).toBe(before + 1);
    }
    expect(recording.lines.slice(logged)).toMatchObject([{ level: "warn", event: "tracing.failed", ...why }]);
    answer = () => ({});
    await getTrace().span("found", {}, async () => {});
    await Promise.all(waitedFor);
  });

  test("leaves node:http as it is", () => {
    expect(http.request).toBe(request);
  });
});
