import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { systemClock } from "#platform/clock.ts";

import { eventually } from "../support/eventually.ts";
import { type Respond, type Sink, type SinkResponse, startSink } from "../support/http-sink.ts";
import { readSpans, type Span } from "../support/otlp.ts";
import { startTestRelay, type TestRelay } from "../support/relay.ts";

const silence = () => new Promise<never>(() => {});
const person = "1000000000000101";
const words = "the customer's words";

let relay: TestRelay;
/** In front of the broker, so that a publish can be made to fail. */
let qstash: Sink;
let collector: Sink;
let answerPublish: Respond;
let answerExport: Respond = () => ({});

beforeAll(async () => {
  answerPublish = passOn;
  collector = await startSink({ respond: (...request) => answerExport(...request) });
  qstash = await startSink({ respond: (...request) => answerPublish(...request) });
  relay = await startTestRelay({
    QSTASH_URL: qstash.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_TIMEOUT: "700",
    OTEL_SDK_DISABLED: "false",
  });
});
afterAll(() => Promise.all([collector.close(), qstash.close()]));

const passOn: Respond = async ({ method, target, headers, body }) => {
  const { host: _host, connection: _connection, "content-length": _length, ...rest } = headers;
  const init = { method, headers: rest as Record<string, string>, body: new Uint8Array(body) };
  const response = await fetch(relay.broker.url + target, init);
  return { status: response.status, body: await response.text() };
};

const message = (mid: string) =>
  JSON.stringify({
    object: "instagram",
    entry: [
      {
        id: "17841400000000001",
        time: Date.now(),
        messaging: [{ sender: { id: person }, message: { mid, text: words } }],
      },
    ],
  });

/** A span that the collector has received; `what` says which. */
const received = (what: string, wanted: (span: Span) => boolean): Promise<Span> =>
  eventually(`the collector has ${what}`, () => readSpans(collector).find(wanted));
const receivedOf = (traceId: string, name: string): Promise<Span> =>
  received(`a span "${name}" of trace ${traceId}`, (span) => span.name === name && span.traceId === traceId);

const consumer = "POST /api/qstash/instagram-ingestion";

describe("with a collector", () => {
  test("the consumer continues the trace that a delivery to the edge came with", async () => {
    const [traceId, spanId] = ["e".repeat(32), "1".repeat(16)];
    await relay.deliver("edge", message("edge-1"), { traceparent: `00-${traceId}-${spanId}-01` });
    // The edge itself sends no spans: its caller's is the parent.
    expect(await receivedOf(traceId, consumer)).toMatchObject({
      parentSpanId: spanId,
      attributes: { "http.status_code": 200 },
    });
  });

  test("a delivery without a trace gets the trace of its id", async () => {
    const response = await relay.deliver("edge", message("edge-2"));
    const traceId = (response.headers.get("x-delivery-id") ?? "").replaceAll("-", "");
    const span = await receivedOf(traceId, consumer);
    expect(span.parentSpanId).not.toBe("");
  });

  test("a delivery to Node is one tree, from the request to the handler of each event", async () => {
    const [traceId, spanId] = ["d".repeat(32), "2".repeat(16)];
    const response = await relay.deliver("node", message("node-1"), { traceparent: `00-${traceId}-${spanId}-01` });
    const deliveryId = response.headers.get("x-delivery-id");
    const named = (name: string) => receivedOf(traceId, name);

    const request = await named("POST /api/webhooks/instagram/node");
    expect(request.parentSpanId).toBe(spanId);
    const route = await named("executing api route (app) /api/webhooks/instagram/node");
    expect(route).toMatchObject({ parentSpanId: request.spanId, attributes: { "relay.delivery.id": deliveryId } });
    const destination = `${relay.baseUrl}/api/qstash/instagram-ingestion`;
    const publish = await named(`fetch POST ${qstash.url}/v2/publish/${destination}`);
    expect(publish.parentSpanId).toBe(route.spanId);

    const delivered = await named(consumer);
    expect(delivered.parentSpanId).toBe(route.spanId);
    const consuming = await named("executing api route (app) /api/qstash/instagram-ingestion");
    const store = await named("store events");
    expect(store).toMatchObject({ parentSpanId: consuming.spanId, attributes: { "relay.batch.inserted": 1 } });
    const handle = await named("handle message");
    expect(handle).toMatchObject({
      parentSpanId: (await named("handle events")).spanId,
      attributes: { "relay.event.kind": "message", "relay.handler.attempt": 1 },
    });
  });

  test("a publish that outlives its request has spans of full length, also for its failed attempt", async () => {
    const traceId = "c".repeat(32);
    const slowMs = 300;
    let attempts = 0;
    answerPublish = async (...request) => {
      attempts += 1;
      if (attempts > 1) return passOn(...request);
      await new Promise<void>((resolve) => {
        systemClock.after(slowMs, resolve);
      });
      return { status: 503 };
    };
    await relay.deliver("node", message("node-2"), { traceparent: `00-${traceId}-${"3".repeat(16)}-01` });
    const publishAnswered = (status: number) =>
      received(
        `a publish that was answered ${status}`,
        (span) =>
          span.traceId === traceId &&
          span.name.includes("/v2/publish/") &&
          span.attributes["http.status_code"] === status,
      );
    const failed = await publishAnswered(503);
    expect(failed).toMatchObject({ failed: true });
    expect(failed.durationMs).toBeGreaterThan(slowMs - 20);
    await publishAnswered(200);
  });

  test.each(["edge", "node"] as const)("the fallback of a delivery to %s continues the same trace", async (to) => {
    answerPublish = () => ({ status: 400 });
    const traceId = (to === "edge" ? "a" : "f").repeat(32);
    await relay.deliver(to, message(`${to}-4`), { traceparent: `00-${traceId}-${"5".repeat(16)}-01` });
    const fallback = await receivedOf(traceId, "POST /api/internal/fallback-ingestion");
    expect(fallback.attributes).toMatchObject({ "http.status_code": 200 });
    // The handlers run after the answer.
    await receivedOf(traceId, "handle message");

    // From then on it is asked again and again: one that refused is asked once.
    answerPublish = passOn;
    const nextId = (to === "edge" ? "8" : "9").repeat(32);
    await relay.deliver(to, message(`${to}-5`), { traceparent: `00-${nextId}-${"6".repeat(16)}-01` });
    await receivedOf(nextId, consumer);
  });

  test("spans contain no secret, no message text and no person's id", async () => {
    const query = "hub.mode=subscribe&hub.verify_token=verify-token&hub.challenge=1";
    const path = "/api/webhooks/instagram/node";
    expect((await fetch(`${relay.baseUrl}${path}?${query}`)).status).toBe(200);
    await relay.ops("events?q=ops-token-of-thirty-two-characters");
    await received(`a span of GET ${path}`, ({ name }) => name === `GET ${path}`);
    await received("a span of GET /api/ops/events", ({ name }) => name === "GET /api/ops/events");

    const sent = collector.requests.map(({ body, headers }) => JSON.stringify(headers) + body.toString()).join("\n");
    expect(sent).toContain("relay.event.id");
    const secrets = [
      "app-secret",
      "verify-token",
      "qstash-token",
      "sig_current_key",
      "relay-secret-of-thirty-two-characters",
      "ops-token-of-thirty-two-characters",
      "sha256=",
    ];
    expect([...secrets, words, person].filter((text) => sent.includes(text))).toEqual([]);
  });

  test("a server that is stopped finishes the forward, sends its spans, and does not wait for a silent collector", async () => {
    let refuseFirst: () => void = () => {};
    const first = new Promise<SinkResponse>((resolve) => {
      refuseFirst = () => resolve({ status: 503 });
    });
    answerExport = silence;
    const before = qstash.requests.length;
    answerPublish = (request, index) => (index === before ? first : passOn(request, index));
    const traceId = "b".repeat(32);
    await relay.deliver("node", message("node-3"), { traceparent: `00-${traceId}-${"4".repeat(16)}-01` });
    await eventually("QStash has the first attempt", () => qstash.requests.length > before);

    const startedAt = systemClock.monotonicMs();
    const stopped = relay.stop();
    refuseFirst();
    await stopped;
    expect(qstash.requests).toHaveLength(before + 2);
    // That attempt was made, and ended, while the server was stopping.
    const publishes = readSpans(collector).filter(
      (span) => span.traceId === traceId && span.name.includes("/v2/publish/"),
    );
    expect(publishes.map(({ attributes }) => attributes["http.status_code"])).toEqual([503, 200]);
    // One sending may run and one may wait for it; at five seconds a server that hangs is killed.
    expect(systemClock.monotonicMs() - startedAt).toBeLessThan(4_500);
  });
});
