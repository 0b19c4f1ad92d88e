import { describe, expect, onTestFinished, test } from "vitest";

import type { InstagramEvent } from "#instagram/events.ts";
import { decodeBatch } from "#queue/decode-batch.ts";
import { forwardToInternalIngestion, type ForwardOptions } from "#queue/forward.ts";
import { createQstashPublisher } from "#queue/qstash-publisher.ts";

import { type Respond, startSink } from "../support/http-sink.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { createRecordingLog } from "../support/recording-log.ts";

const destination = "https://relay.example/api/qstash/instagram-ingestion";
const accepted = { status: 200, body: '{"messageId":"msg_1"}' };

const event = (mid: string): InstagramEvent => ({
  key: `message:1:${mid}`,
  kind: "message",
  accountId: "1",
  occurredAtMs: 1,
  sentAtMs: 2,
  standby: false,
  test: false,
  data: { message: { mid, text: "the customer's words" } },
});

const delivery = {
  id: "d1",
  runtime: "edge",
  region: null,
  coldStart: false,
  receivedAtMs: 1_700_000_000_000,
  bodyBytes: 10,
  secretIndex: 0,
  probe: false,
} as const;

/** The real publisher against a server that answers as told. */
async function setUp(respond: Respond, overrides: Partial<ForwardOptions> = {}) {
  const sink = await startSink({ respond });
  onTestFinished(() => sink.close());
  const clock = createManualClock(1_700_000_000_000);
  const recording = createRecordingLog();
  const publisher = createQstashPublisher({
    url: sink.url,
    token: "the-token",
    destination,
    failureCallback: "https://relay.example/api/qstash/instagram-failure",
    retries: 5,
    bypassSecret: null,
    fetch,
    clock,
  });
  const options: ForwardOptions = {
    delivery,
    traceparent: null,
    acksFirst: true,
    publisher,
    timeoutMs: 3_000,
    retries: 3,
    budgetMs: 8_000,
    clock,
    random: () => 1,
    log: recording.log,
    ...overrides,
  };
  return { sink, clock, recording, forward: (events: InstagramEvent[]) => forwardToInternalIngestion(events, options) };
}

describe("forwardToInternalIngestion()", () => {
  test("publishes one message for a delivery, as QStash wants it", async () => {
    const { sink, forward, recording } = await setUp(() => accepted, { traceparent: "00-aa-bb-01" });
    const result = await forward([event("m1"), event("m2")]);
    expect(result).toMatchObject({ outcome: "published", attempts: 1, timeouts: 0, errorType: null });
    expect(sink.requests).toHaveLength(1);
    const [request] = sink.requests;
    expect(request?.target).toBe(`/v2/publish/${destination}`);
    expect(request?.headers).toMatchObject({
      authorization: "Bearer the-token",
      "upstash-method": "POST",
      "upstash-retries": "5",
      "upstash-label": "instagram",
      "upstash-deduplication-id": "d1-0",
      "upstash-failure-callback": "https://relay.example/api/qstash/instagram-failure",
      "upstash-forward-traceparent": "00-aa-bb-01",
    });
    expect(decodeBatch(request?.body.toString() ?? "")).toEqual({
      version: 1,
      delivery: { ...delivery, chunk: [0, 1] },
      events: [event("m1"), event("m2")],
    });
    expect(recording.lines.map((line) => line["event"])).toEqual([
      "forward.started",
      "publish.attempt_started",
      "publish.accepted",
      "forward.settled",
    ]);
    expect(JSON.stringify(recording.lines)).not.toMatch(/the-token|customer/);
  });

  test("splits what is too many for a message", async () => {
    const { sink, forward } = await setUp(() => accepted);
    const result = await forward(Array.from({ length: 401 }, (_, index) => event(`m${index}`)));
    expect(result).toMatchObject({ outcome: "published", attempts: 3 });
    const ids = sink.requests.map(({ headers }) => headers["upstash-deduplication-id"]);
    expect(ids.toSorted()).toEqual(["d1-0", "d1-1", "d1-2"]);
  });

  test.each([500, 503, 408, 429])("tries again after %i, with the same deduplication id", async (status) => {
    const { sink, clock, forward } = await setUp((_request, index) => (index === 0 ? { status } : accepted));
    const forwarded = forward([event("m1")]);
    await sink.next();
    await advanceUntil(clock, forwarded, 100);
    expect(await forwarded).toMatchObject({ outcome: "published", attempts: 2 });
    expect(sink.requests.map(({ headers }) => headers["upstash-deduplication-id"])).toEqual(["d1-0", "d1-0"]);
  });

  test.each([400, 401, 404, 412, 302])("does not repeat what QStash refuses with %i", async (status) => {
    const { sink, forward } = await setUp(() => ({ status, headers: { location: "/elsewhere" } }));
    expect(await forward([event("m1")])).toMatchObject({ outcome: "lost", attempts: 1, errorType: "PUBLISH_REJECTED" });
    expect(sink.requests).toHaveLength(1);
  });

  test("gives a silent QStash so long and no longer", async () => {
    const { clock, forward } = await setUp(() => new Promise(() => {}));
    const forwarded = forward([event("m1")]);
    const startedMs = clock.nowMs();
    await advanceUntil(clock, forwarded, 50);
    expect(await forwarded).toMatchObject({ outcome: "lost", errorType: "PUBLISH_TIMEOUT" });
    expect(clock.nowMs() - startedMs).toBeLessThanOrEqual(8_050);
  });

  test("says loudly what was lost, by key and never by content", async () => {
    const { forward, recording } = await setUp(() => ({ status: 401 }));
    await forward([event("m1"), event("m2")]);
    expect(recording.of("forward.lost")).toMatchObject([
      { level: "error", errorType: "PUBLISH_REJECTED", keys: ["message:1:m1", "message:1:m2"] },
    ]);
    expect(JSON.stringify(recording.lines)).not.toContain("customer");
  });

  test("names what was lost part by part, and nothing that was accepted", async () => {
    const { forward, recording } = await setUp(({ headers }) =>
      headers["upstash-deduplication-id"] === "d1-1" ? { status: 401 } : accepted,
    );
    const result = await forward(Array.from({ length: 1_300 }, (_, index) => event(`m${index}`)));
    expect(result).toMatchObject({ outcome: "lost", attempts: 7 });
    const lost = recording.of("forward.lost");
    expect(lost).toHaveLength(1);
    const keys = Array.from({ length: 200 }, (_, index) => `message:1:m${200 + index}`);
    expect(lost[0]).toMatchObject({ part: "d1-1", keys });
  });

  test("calls it refused, not lost, when nothing was acknowledged", async () => {
    const { forward, recording } = await setUp(() => ({ status: 401 }), { acksFirst: false });
    expect(await forward([event("m1")])).toMatchObject({ outcome: "refused" });
    expect(recording.of("forward.lost")).toEqual([]);
  });

  test("does not reject when nobody listens", async () => {
    const { sink, clock, forward } = await setUp(() => accepted);
    await sink.close();
    const forwarded = forward([event("m1")]);
    await advanceUntil(clock, forwarded, 100);
    expect(await forwarded).toMatchObject({ outcome: "lost", attempts: 4, errorType: "PUBLISH_NETWORK" });
  });

  test("forwards a delivery without events too, so that its journey is complete", async () => {
    const { sink, forward } = await setUp(() => accepted);
    expect(await forward([])).toMatchObject({ outcome: "published" });
    expect(decodeBatch(sink.requests[0]?.body.toString() ?? "").events).toEqual([]);
  });
});

/** Lets time pass in steps until the promise settles: retries need both the clock and the network. */
async function advanceUntil(clock: { advance(ms: number): Promise<void> }, promise: Promise<unknown>, stepMs: number) {
  let settled = false;
  void promise.finally(() => {
    settled = true;
  });
  while (!settled) await clock.advance(stepMs);
}
