import { describe, expect, onTestFinished, test } from "vitest";

import { signBody } from "#instagram/signature.ts";
import { parseWebhook } from "#instagram/webhook-parser.ts";
import { createProbe } from "#measurements/create-probe.ts";
import { budgetOf, gapMsOf } from "#measurements/probe-budget.ts";
import { startOf } from "#measurements/probe-start.ts";
import { type BurstOptions, sendBurst } from "#measurements/send-burst.ts";
import { parseHandlerTiming } from "#measurements/send-probe.ts";
import { systemClock } from "#platform/clock.ts";

import { type Respond, startSink } from "../support/http-sink.ts";
import { advanceUntilSettled, createManualClock } from "../support/manual-clock.ts";

const nowMs = 1_700_000_000_000;
const node = "/api/webhooks/instagram/node";

const create = (id: string) =>
  createProbe({ sign: (body) => signBody("app-secret", body), relaySecret: "relay-secret", id, nowMs });

test("a probe is one message of an account that Meta does not have, as long as most", async () => {
  const { body } = await create("p1");
  const onFailure = () => expect.unreachable();
  const events = await parseWebhook(new TextEncoder().encode(body), { deliveryId: "d", onFailure });
  expect(events).toMatchObject([{ kind: "message", accountId: "relay-probe", key: "message:relay-probe:probe-p1" }]);
  expect(body.length).toBeGreaterThan(250);
});

describe("Server-Timing", () => {
  test.each([
    [
      'handler;dur=1.25;desc="iad1,dpl_1,true,edge"',
      { handlerMs: 1.25, region: "iad1", deployment: "dpl_1", coldStart: true, runtime: "edge" },
    ],
    ['handler;dur=0;desc=",,false"', { handlerMs: 0, region: null, deployment: null, coldStart: false, runtime: null }],
    [
      'cdn;desc="HIT", handler;dur=1e-7;desc=",,false"',
      { handlerMs: 1e-7, region: null, deployment: null, coldStart: false, runtime: null },
    ],
  ])("is read among what proxies add: %s", (header, timing) => {
    expect(parseHandlerTiming(header)).toEqual(timing);
  });

  test.each([
    null,
    "",
    "handler",
    "handler;dur=1",
    "total;dur=1",
    'handler;dur=-1;desc=",,true"',
    'handler;dur=1;desc="x"',
    'myhandler;dur=1;desc=",,true"',
  ])("that is no probe's is null: %s", (header) => {
    expect(parseHandlerTiming(header)).toBeNull();
  });
});

describe("a burst", () => {
  const answer = (deployment = "dpl_1", runtime = "") => ({
    headers: { "server-timing": `handler;dur=0.1;desc="iad1,${deployment},false,${runtime}"` },
  });

  async function send(count: number, respond: Respond, overrides: Partial<BurstOptions> = {}) {
    const sink = await startSink({ respond });
    onTestFinished(() => sink.close());
    const options: BurstOptions = {
      baseUrl: sink.url,
      bypassSecret: "bypass",
      burst: "b1",
      idleMs: { edge: 1_000, nodejs: null },
      deadlineMs: systemClock.monotonicMs() + 20_000,
      random: () => 0,
      fetch,
      clock: systemClock,
      ...overrides,
    };
    const probes = await Promise.all(Array.from({ length: count }, (_, index) => create(`p${index}`)));
    return { sending: sendBurst(probes, options), sink };
  }

  test("ends before its first pair where Node answers at the edge's address, whichever is asked first", async () => {
    for (const draw of [0.2, 0.7]) {
      const { sending } = await send(2, () => answer("dpl_1", "nodejs"), { random: () => draw });
      const failure = "the webhook runs on Node, so there is no edge function to compare";
      expect(await sending).toEqual({ pairs: [], failure, hasEdge: false });
    }
  });

  test("sends each body to both routes, in an order drawn for each pair, on a connection that neither opens", async () => {
    const draws = [0.2, 0.7];
    const { sending, sink } = await send(2, () => answer(), { random: () => draws.shift() ?? 0 });
    const { pairs, failure } = await sending;
    expect(failure).toBeNull();
    expect(sink.requests.map(({ target }) => target)).toEqual([
      "/icon.svg",
      "/api/webhooks/instagram",
      node,
      node,
      "/api/webhooks/instagram",
    ]);
    const bodies = sink.requests.slice(1).map(({ body }) => body.toString());
    expect([bodies[0] === bodies[1], bodies[2] === bodies[3], bodies[0] === bodies[2]]).toEqual([true, true, false]);
    expect(
      sink.requests.every(({ headers }, index) => index === 0 || headers["x-vercel-protection-bypass"] === "bypass"),
    ).toBe(true);
    expect(pairs).toMatchObject([
      {
        id: "p0",
        burst: "b1",
        first: "edge",
        deployment: "dpl_1",
        canary: false,
        edge: { handlerMs: 0.1, region: "iad1" },
      },
      { id: "p1", first: "nodejs" },
    ]);
    const [first, second] = pairs;
    // The relay knew when the edge had its last request, and of none to Node; after that the burst itself is the last.
    expect(first?.edge.idleMs).toBeGreaterThanOrEqual(1_000);
    expect(first?.nodejs.idleMs).toBeNull();
    expect(second?.edge.idleMs).toBeLessThan(1_000);
    expect(second?.nodejs.idleMs).toBeLessThan(1_000);
  });

  test("measures that no answer came in time", async () => {
    const clock = createManualClock(nowMs);
    const { sending } = await send(1, ({ target }) => (target === node ? new Promise(() => {}) : answer()), {
      clock,
      deadlineMs: 20_000,
    });
    await advanceUntilSettled(clock, sending, 200);
    const { pairs, failure } = await sending;
    expect(failure).toBeNull();
    expect(pairs).toMatchObject([{ edge: { handlerMs: 0.1 }, nodejs: { ms: null, handlerMs: null, coldStart: null } }]);
  });

  test.each<[string, Respond, string]>([
    ["a protection page", () => ({ status: 401 }), "/api/webhooks/instagram answered 401"],
    ["a delivery's answer", () => ({ status: 200 }), "/api/webhooks/instagram answered 200, but not as to a probe"],
    ["another deployment", ({ target }) => answer(target === node ? "dpl_2" : "dpl_1"), "two deployments answered"],
  ])("ends without a pair at %s", async (_name, respond, failure) => {
    const { sending, sink } = await send(3, respond);
    expect(await sending).toEqual({ pairs: [], failure, hasEdge: true });
    expect(sink.requests.length).toBeLessThanOrEqual(3);
  });

  test("ends without a pair where the relay cannot be reached, and begins none when the time is over", async () => {
    const { sending } = await send(2, () => answer(), { baseUrl: "http://127.0.0.1:1" });
    expect(await sending).toEqual({ pairs: [], failure: "/api/webhooks/instagram cannot be reached", hasEdge: true });
    const late = await send(2, () => answer(), { deadlineMs: systemClock.monotonicMs() + 900 });
    expect(await late.sending).toEqual({ pairs: [], failure: "the time was over", hasEdge: true });
  });
});

test("a pair is warm or cold by how long both functions had no request", () => {
  const minute = 60_000;
  expect(startOf({ edge: 0, nodejs: 10 * minute })).toBe("warm");
  expect(startOf({ edge: 11 * minute, nodejs: null })).toBe("cold");
  expect(startOf({ edge: 0, nodejs: null })).toBe("mixed");
});

describe("the budget", () => {
  test("by default is 384 pairs a day, and fits QStash's free plan", () => {
    expect(budgetOf(384)).toEqual({
      pairsPerDay: 384,
      burstsPerDay: 96,
      canaryPairsPerDay: 24,
      qstashMessagesPerDay: { schedule: 288, canaries: 48, total: 336 },
      invocationsPerDay: { edge: 384, nodejs: 720 },
    });
    expect(budgetOf(0)).toMatchObject({
      canaryPairsPerDay: 0,
      qstashMessagesPerDay: { total: 288 },
      invocationsPerDay: { edge: 0 },
    });
  });

  test.each([1, 4, 384, 1_152])(
    "draws gaps that use up %i pairs a day on average, and neither hurry nor stop",
    (pairs) => {
      const mean = (86_400_000 * Math.min(4, pairs)) / pairs;
      const gaps = Array.from({ length: 10_000 }, (_, index) => gapMsOf(pairs, index / 10_000));
      expect(Math.abs(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length / mean - 1)).toBeLessThan(0.02);
      expect(Math.min(...gaps) / mean).toBeCloseTo(1 / 15, 5);
      expect(Math.max(...gaps) / mean).toBeLessThanOrEqual(4);
    },
  );
});
