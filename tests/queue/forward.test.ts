import { describe, expect, test as base } from "vitest";

import type { InstagramEvent } from "#instagram/events.ts";
import { reportForward } from "#measurements/report-forward.ts";
import type { ForwardResult } from "#platform/delivery.ts";
import type { Reporter } from "#measurements/reporter.ts";
import { verifyInternal } from "#platform/internal-signature.ts";
import { decodeBatch } from "#queue/decode-batch.ts";
import { createFallbackPublisher } from "#queue/fallback-publisher.ts";
import { createForward, type ForwardOptions } from "#queue/forward.ts";
import { createQstashPublisher } from "#queue/qstash/qstash-publisher.ts";

import { type Respond, type Sink, startSink } from "../support/http-sink.ts";
import { advanceUntilSettled, createManualClock } from "../support/manual-clock.ts";
import { createRecordingLog } from "../support/recording-log.ts";

const destination = "https://relay.example/api/qstash/instagram-ingestion";
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const accepted = { status: 200, body: '{"messageId":"msg_1"}' };
const stored = { status: 200, body: '{"inserted":1,"duplicates":0}' };
const silence = () => new Promise<never>(() => {});
const startMs = 1_700_000_000_000;

const event = (mid: string, text = "the customer's words"): InstagramEvent => ({
  key: `message:1:${mid}`,
  kind: "message",
  accountId: "1",
  occurredAtMs: 1,
  sentAtMs: 2,
  standby: false,
  test: false,
  data: { message: { mid, text } },
});
const events = (count: number) => Array.from({ length: count }, (_, index) => event(`m${index}`));

const delivery = {
  id: "d1",
  runtime: "edge",
  region: null,
  deployment: null,
  coldStart: false,
  receivedAtMs: startMs,
  bodyBytes: 10,
  secretIndex: 0,
  probe: false,
  ackMs: 0.5,
} as const;

const fallbackPath = "/api/internal/fallback-ingestion";

/** The real publishers against servers that answer as given; by default the fallback stores everything. */
async function open(
  sinks: Sink[],
  respond: Respond,
  {
    respondFallback = () => stored,
    token = "the-token",
    traceparent: given = null,
    publishBudgetMs = 8_000,
    ackMs = 1,
    parallelism = null,
    ...overrides
  }: Partial<ForwardOptions> & {
    respondFallback?: Respond;
    token?: string;
    traceparent?: string | null;
    publishBudgetMs?: number;
    ackMs?: number | null;
    parallelism?: number | null;
  } = {},
) {
  const qstash = await startSink({ respond });
  const node = await startSink({ respond: respondFallback });
  sinks.push(qstash, node);
  const clock = createManualClock(startMs);
  const recording = createRecordingLog();
  const publisher = createQstashPublisher({
    url: qstash.url,
    token,
    destination,
    failureCallback: "https://relay.example/api/qstash/instagram-failure",
    retries: 5,
    parallelism,
    bypassSecret: null,
    fetch,
    clock,
  });
  const fallback = createFallbackPublisher({
    relayUrl: node.url,
    path: fallbackPath,
    secret: "the-secret",
    bypassSecret: "bypass",
    fetch,
    clock,
  });
  const options: ForwardOptions = {
    publisher,
    timeoutMs: 3_000,
    retries: 3,
    fallback,
    fallbackBudgetMs: 5_000,
    clock,
    random: () => 1,
    log: recording.log,
    ...overrides,
  };
  const start = createForward(options);
  const reports: ReturnType<Parameters<Reporter["report"]>[1]>[] = [];
  const reporter: Pick<Reporter, "report"> = { report: async (_rate, create) => void reports.push(create()) };
  /** What the forward did, under the outcome that its report names. */
  const forward = async (carried: InstagramEvent[]) => {
    const received = { ...delivery, traceparent: given, events: carried };
    const { kept, result } = start(received, publishBudgetMs);
    await advanceUntilSettled(clock, result, 50);
    await reportForward(received, result, ackMs, { reporter, sampleRate: 1, log: recording.log });
    return { kept: await kept, ...(await result), outcome: reports.at(-1)?.outcome };
  };
  return { qstash, node, clock, recording, forward };
}

type SetUp = (
  ...given: Parameters<typeof open> extends [Sink[], ...infer Rest] ? Rest : never
) => ReturnType<typeof open>;

// Most of a test is waiting for the manual clock, so they wait at the same time.
const test = base.extend<{ setUp: SetUp }>({
  // vitest reads what a fixture needs from the pattern: nothing.
  setUp: async ({}, use) => {
    const sinks: Sink[] = [];
    await use((...given) => open(sinks, ...given));
    await Promise.all(sinks.map((sink) => sink.close()));
  },
});

const deduplicationIds = (sink: { requests: readonly { headers: Record<string, unknown> }[] }) =>
  sink.requests.map(({ headers }) => String(headers["upstash-deduplication-id"]));

describe.concurrent("publishing", () => {
  test("is one message for a delivery, as QStash wants it, and a line of log for every step", async ({ setUp }) => {
    const { qstash, node, forward, recording } = await setUp(() => accepted, { traceparent });
    const result = await forward([event("m1"), event("m2")]);
    expect(result).toMatchObject({ kept: true, outcome: "published", attempts: 1, timeouts: 0, errorType: null });
    expect([qstash.requests.length, node.requests.length]).toEqual([1, 0]);
    const [request] = qstash.requests;
    expect(request?.target).toBe(`/v2/publish/${destination}`);
    expect(request?.headers).toMatchObject({
      authorization: "Bearer the-token",
      "upstash-method": "POST",
      "upstash-retries": "5",
      "upstash-label": "instagram",
      "upstash-deduplication-id": "d1-0",
      "upstash-failure-callback": "https://relay.example/api/qstash/instagram-failure",
      "upstash-forward-traceparent": traceparent,
    });
    expect(decodeBatch(request?.body.toString() ?? "")).toEqual({
      version: 2,
      delivery: { ...delivery, publishStartedAtMs: startMs, batch: [0, 1] },
      events: [event("m1"), event("m2")],
    });
    expect(recording.lines).toMatchObject([
      { event: "forward.started", events: 2, batches: 1 },
      { event: "publish.attempt_started", batch: "0/1", attempt: 0, timeoutMs: 3_000 },
      { event: "publish.accepted", status: 200, messageId: "msg_1", durationMs: expect.any(Number) },
      { event: "forward.settled", outcome: "published", ackMs: 1, events: 2, durationMs: expect.any(Number) },
    ]);
    expect(recording.lines.map(({ level }) => level)).toEqual(["debug", "debug", "debug", "info"]);
    expect(JSON.stringify(recording.lines)).not.toMatch(/the-token|customer/);
  });

  test.for<[number | null, string | undefined, string | undefined]>([
    [null, undefined, undefined],
    [50, "instagram", "parallelism=50"],
  ])(
    "with a parallelism of %s has the flow-control key %s, by which ingestion is paused",
    async ([parallelism, key, value], { setUp }) => {
      const { qstash, forward } = await setUp(() => accepted, { parallelism });
      await forward([event("m1")]);
      expect(qstash.requests[0]?.headers["upstash-flow-control-key"]).toBe(key);
      expect(qstash.requests[0]?.headers["upstash-flow-control-value"]).toBe(value);
    },
  );

  test("splits a delivery with too many events for one message", async ({ setUp }) => {
    const { qstash, forward } = await setUp(() => accepted);
    const messageIds = ["msg_1", "msg_1", "msg_1"];
    expect(await forward(events(401))).toMatchObject({ outcome: "published", attempts: 3, messageIds });
    expect(deduplicationIds(qstash).toSorted()).toEqual(["d1-0", "d1-1", "d1-2"]);
  });

  test.for([500, 503, 408])("is tried again after %i, with the same deduplication id", async (status, { setUp }) => {
    const { qstash, node, forward } = await setUp((_request, index) => (index === 0 ? { status } : accepted));
    expect(await forward([event("m1")])).toMatchObject({ outcome: "published", attempts: 2 });
    expect(deduplicationIds(qstash)).toEqual(["d1-0", "d1-0"]);
    expect(node.requests).toEqual([]);
  });

  test.for(["Burst-RateLimit-Reset", "RateLimit-Reset"])("waits after 429 until %s", async (header, { setUp }) => {
    let answeredAtMs = 0;
    const { clock, forward } = await setUp((_request, index) => {
      answeredAtMs = clock.nowMs();
      return index === 0 ? { status: 429, headers: { [header]: String(startMs / 1000 + 4) } } : accepted;
    });
    expect(await forward([event("m1")])).toMatchObject({ outcome: "published", attempts: 2 });
    expect(answeredAtMs - startMs).toBeGreaterThanOrEqual(4_000);
  });

  test("is not tried again after 429 with a reset that comes too late", async ({ setUp }) => {
    const headers = { "RateLimit-Reset": String(startMs / 1000 + 3_600) };
    const { qstash, forward } = await setUp(() => ({ status: 429, headers }));
    expect(await forward([event("m1")])).toMatchObject({ outcome: "fallback", errorType: "PUBLISH_RATE_LIMITED" });
    expect(qstash.requests).toHaveLength(1);
  });

  test("waits longer and longer after 429 without a reset before it goes to the fallback", async ({ setUp }) => {
    const { qstash, forward, recording } = await setUp(() => ({ status: 429 }), { random: () => 0.5 });
    expect(await forward([event("m1")])).toMatchObject({ outcome: "fallback", errorType: "PUBLISH_RATE_LIMITED" });
    expect(recording.of("publish.attempt_failed").map(({ retryInMs }) => retryInMs)).toEqual([750, 1_500, 3_000, null]);
    expect(qstash.requests).toHaveLength(4);
  });

  test("is tried again within a short budget, too", async ({ setUp }) => {
    const { forward } = await setUp((_request, index) => (index === 0 ? { status: 429 } : accepted), {
      publishBudgetMs: 1_000,
    });
    expect(await forward([event("m1")])).toMatchObject({ outcome: "published", attempts: 2 });
  });

  test("retries of many forwards with the same reset spread over a window after it, which widens with each attempt", async ({
    setUp,
  }) => {
    const headers = { "Burst-RateLimit-Reset": String(startMs / 1000 + 1) };
    const waits: number[][] = [];
    const randoms = [0, 0.3, 0.9];
    for (const random of randoms) {
      const { forward, recording } = await setUp(() => ({ status: 429, headers }), { random: () => random });
      await forward([event("m1")]);
      const [first = 0, second = 0] = recording.of("publish.attempt_failed").map(({ retryInMs }) => Number(retryInMs));
      waits.push([first, second]);
    }
    expect(waits.map(([first]) => first)).toEqual(randoms.map((random) => 1_000 + 1_000 * random));
    // The reset has passed: what is left is the window.
    expect(waits.map(([, second]) => second)).toEqual(randoms.map((random) => 2_000 * random));
  });

  test.for<[string, string]>([
    ["a page", "<html>Parked</html>"],
    ["nothing", ""],
    ["JSON of somebody else's", '{"ok":true}'],
  ])("that is answered 200 with %s is not taken for done", async ([, body], { setUp }) => {
    const { node, forward } = await setUp(() => ({ body }));
    expect(await forward([event("m1")])).toMatchObject({ outcome: "fallback", errorType: "PUBLISH_UNCONFIRMED" });
    expect(node.requests).toHaveLength(1);
  });

  test("reads at most a megabyte of an answer", async ({ setUp }) => {
    const { forward } = await setUp(() => ({ body: `${"x".repeat(1_100_000)}${accepted.body}` }));
    expect(await forward([event("m1")])).toMatchObject({ outcome: "fallback", errorType: "PUBLISH_UNCONFIRMED" });
  });

  test("with a token that no header can hold fails without showing it", async ({ setUp }) => {
    const { forward, recording } = await setUp(() => accepted, { token: "two\nlines" });
    expect(await forward([event("m1")])).toMatchObject({ outcome: "fallback", errorType: "PUBLISH_NETWORK" });
    expect(JSON.stringify(recording.lines)).not.toMatch(/two|lines/);
  });

  test.for<[number, string]>([
    [400, "PUBLISH_INVALID"],
    [401, "PUBLISH_UNAUTHORIZED"],
    [404, "PUBLISH_NOT_FOUND"],
    [412, "PUBLISH_OVER_QUOTA"],
    [302, "PUBLISH_REJECTED"],
  ])("that QStash refuses with %i is %s and goes straight to the fallback", async ([status, errorType], { setUp }) => {
    const { qstash, node, forward } = await setUp(() => ({ status, headers: { location: "/elsewhere" } }));
    expect(await forward([event("m1")])).toMatchObject({ kept: true, outcome: "fallback", attempts: 1, errorType });
    expect([qstash.requests.length, node.requests.length]).toEqual([1, 1]);
  });

  test("forwards a delivery without events too, so that its journey is complete", async ({ setUp }) => {
    const { qstash, forward } = await setUp(() => accepted);
    expect(await forward([])).toMatchObject({ outcome: "published" });
    expect(decodeBatch(qstash.requests[0]?.body.toString() ?? "").events).toEqual([]);
  });
});

describe.concurrent("the fallback", () => {
  test("gets the same batch, signed, when QStash is silent for all of its time", async ({ setUp }) => {
    const { qstash, node, clock, forward, recording } = await setUp(silence, { traceparent });
    const result = await forward([event("m1")]);
    expect(result).toMatchObject({ kept: true, outcome: "fallback", publishedAtMs: null });
    expect(result).toMatchObject({ attempts: 3, timeouts: 3, errorType: "PUBLISH_TIMEOUT" });
    // Eight seconds and what the fallback took, of which this clock passes more on a busy machine.
    expect(result.durationMs).toBeLessThanOrEqual(13_000);
    const [request] = node.requests;
    expect(request?.body).toEqual(qstash.requests[0]?.body);
    expect(request?.headers).toMatchObject({ traceparent, "x-vercel-protection-bypass": "bypass" });
    const signature = String(request?.headers["x-relay-signature"]);
    expect(
      await verifyInternal(
        "the-secret",
        `POST ${fallbackPath}`,
        request?.body ?? new Uint8Array(),
        signature,
        clock.nowMs(),
      ),
    ).toBe(true);
    expect(recording.of("publish.attempt_timed_out")).toMatchObject([
      { attempt: 0, durationMs: 3_000 },
      { attempt: 1 },
      { attempt: 2, retryInMs: null },
    ]);
    expect(recording.of("fallback.accepted")).toMatchObject([{ batch: "0/1", status: 200 }]);
    expect(clock.timersLeft()).toBe(0);
  });

  test("takes an event that no QStash message may hold, without asking QStash", async ({ setUp }) => {
    const { qstash, node, forward } = await setUp(() => accepted);
    const large = event("large", "x".repeat(700_000));
    const result = await forward([event("m1"), large, event("m2")]);
    expect(result).toMatchObject({ kept: true, outcome: "fallback", errorType: null });
    const keys = (body: Buffer | undefined) => decodeBatch(body?.toString() ?? "").events.map(({ key }) => key);
    expect(qstash.requests.flatMap(({ body }) => keys(body))).not.toContain(large.key);
    expect(node.requests.map(({ body }) => keys(body))).toEqual([[large.key]]);
  });

  test("takes only the batches that QStash did not take", async ({ setUp }) => {
    const { node, forward } = await setUp(({ headers }) =>
      headers["upstash-deduplication-id"] === "d1-1" ? { status: 401 } : accepted,
    );
    expect(await forward(events(1_300))).toMatchObject({ kept: true, outcome: "fallback", attempts: 7 });
    expect(node.requests.map(({ body }) => decodeBatch(body.toString()).delivery.batch)).toEqual([[1, 7]]);
  });

  test.for([408, 429, 500, 503])("is tried again after %i while there is time", async (status, { setUp }) => {
    const { node, forward } = await setUp(() => ({ status: 401 }), {
      respondFallback: (_request, index) => (index < 3 ? { status } : stored),
    });
    expect(await forward([event("m1")])).toMatchObject({ kept: true, outcome: "fallback" });
    expect(node.requests).toHaveLength(4);
  });
});

test.concurrent("while QStash accepts nothing, each delivery makes one attempt to publish", async ({ setUp }) => {
  let status = 500;
  const { qstash, forward } = await setUp(() => (status === 200 ? accepted : { status }));
  expect(await forward([event("m1")])).toMatchObject({ outcome: "fallback", attempts: 4 });
  expect(await forward([event("m2")])).toMatchObject({ outcome: "fallback", attempts: 1 });
  // Which says nothing of QStash.
  expect(await forward([event("large", "x".repeat(700_000))])).toMatchObject({ outcome: "fallback", attempts: 0 });
  expect(await forward([event("m3")])).toMatchObject({ outcome: "fallback", attempts: 1 });
  status = 200;
  expect(await forward([event("m4")])).toMatchObject({ outcome: "published", attempts: 1 });
  const published = qstash.requests.length;
  status = 500;
  expect(await forward([event("m5")])).toMatchObject({ outcome: "fallback", attempts: 4 });
  expect(qstash.requests.length - published).toBe(4);
});

test.concurrent("a 200 that is not the relay's own answer counts as not kept", async ({ setUp }) => {
  const { forward } = await setUp(() => ({ status: 401 }), {
    respondFallback: () => ({ body: "<html>Parked</html>" }),
  });
  expect(await forward([event("m1")])).toMatchObject({ kept: false, outcome: "lost", errorType: "FALLBACK_REJECTED" });
});

test.concurrent("a slow fallback has the whole budget for one attempt", async ({ setUp }) => {
  const { node, clock, forward } = await setUp(() => ({ status: 401 }), {
    respondFallback: () => new Promise((resolve) => clock.after(4_500, () => resolve(stored))),
  });
  expect(await forward([event("m1")])).toMatchObject({ kept: true, outcome: "fallback" });
  expect(node.requests).toHaveLength(1);
});

describe.concurrent("a batch that neither QStash nor the fallback accepts", () => {
  const refuse = () => ({ status: 401 });

  test("is lost: an error line names the keys, never the content", async ({ setUp }) => {
    const { forward, recording } = await setUp(refuse, { respondFallback: refuse });
    expect(await forward([event("m1"), event("m2")])).toMatchObject({ kept: false, outcome: "lost", attempts: 1 });
    expect(recording.of("forward.lost")).toMatchObject([
      {
        level: "error",
        publishErrorType: "PUBLISH_UNAUTHORIZED",
        fallbackErrorType: "FALLBACK_REJECTED",
        keys: ["message:1:m1", "message:1:m2"],
      },
    ]);
    expect(JSON.stringify(recording.lines)).not.toContain("customer");
  });

  test("is named by a line of its own, without the batches that were accepted", async ({ setUp }) => {
    const { forward, recording } = await setUp(
      ({ headers }) => (["d1-1", "d1-2"].includes(String(headers["upstash-deduplication-id"])) ? refuse() : accepted),
      { respondFallback: ({ body }) => (decodeBatch(body.toString()).delivery.batch[0] === 1 ? refuse() : stored) },
    );
    expect(await forward(events(1_300))).toMatchObject({ kept: false, outcome: "lost", attempts: 7 });
    const keys = events(1_300)
      .slice(200, 400)
      .map(({ key }) => key);
    expect(recording.of("forward.lost")).toMatchObject([{ batch: "1/7", keys }]);
  });

  test("is refused, not lost, when nothing was acknowledged", async ({ setUp }) => {
    const { forward, recording } = await setUp(refuse, { respondFallback: refuse, ackMs: null });
    expect(await forward([event("m1")])).toMatchObject({ kept: false, outcome: "refused" });
    expect(recording.of("forward.lost")).toEqual([]);
  });

  test("takes no longer than both budgets, and leaves neither timer nor connection behind", async ({ setUp }) => {
    const { qstash, node, clock, forward } = await setUp(silence, { respondFallback: silence });
    const result = await forward(events(1_300));
    expect(result).toMatchObject({ kept: false, outcome: "lost", errorType: "FALLBACK_TIMEOUT" });
    // The clock goes on in steps, some of which may pass between the two.
    expect(result.durationMs).toBeLessThanOrEqual(13_500);
    expect(clock.timersLeft()).toBe(0);
    await Promise.all([qstash.abandoned(qstash.requests.length), node.abandoned(node.requests.length)]);
  });

  test("does not follow a redirect of our own address, and the outcome names it", async ({ setUp }) => {
    const headers = { location: "https://www.relay.example/" };
    const { forward, node, recording } = await setUp(() => ({ status: 500 }), {
      respondFallback: () => ({ status: 308, headers }),
    });
    expect(await forward([event("m1")])).toMatchObject({ outcome: "lost", errorType: "RELAY_URL_REDIRECTS" });
    expect(node.requests).toHaveLength(1);
    expect(recording.of("fallback.attempt_failed")).toMatchObject([
      { reason: "RELAY_URL redirects to https://www.relay.example/" },
    ]);
  });

  test("does not reject when neither address can be reached", async ({ setUp }) => {
    const { qstash, node, clock, forward } = await setUp(() => accepted);
    await Promise.all([qstash.close(), node.close()]);
    expect(await forward([event("m1")])).toMatchObject({ outcome: "lost", attempts: 4, errorType: "FALLBACK_NETWORK" });
    expect(clock.nowMs() - startMs).toBeLessThanOrEqual(13_050);
  });
});

test.concurrent.for<[number | null, number]>([
  [0.5, 0.1],
  [null, 1],
])("where the batches have %s as the time of the ack, the share of reports is %s", async ([ackMs, expected]) => {
  const rates: number[] = [];
  const reporter = { report: async (rate: number) => void rates.push(rate) };
  const result: ForwardResult = {
    outcome: "published",
    durationMs: 1,
    publishedAtMs: startMs,
    messageIds: ["msg_1"],
    attempts: 1,
    timeouts: 0,
    errorType: null,
    publishErrorType: null,
    batches: 1,
    undelivered: [],
  };
  const received = { ...delivery, ackMs, events: [] };
  await reportForward(received, Promise.resolve(result), 1, {
    reporter,
    sampleRate: 0.1,
    log: createRecordingLog().log,
  });
  expect(rates).toEqual([expected]);
});
