import { randomUUID } from "node:crypto";

import { describe, expect, onTestFinished, test } from "vitest";
import * as v from "valibot";

import { readVerdict } from "#dashboard/runtimes/read-verdict.ts";
import { signBody } from "#instagram/signature.ts";
import type { MeasuredPair } from "#measurements/probe.ts";
import { readCanaryFacts } from "#operations/condition/read-canary-facts.ts";
import { probeNow, type Probing, vantageOf } from "#operations/probing.ts";
import { readProbes } from "#operations/read-probes.ts";
import { runProbes } from "#operations/run-probes.ts";
import { pairsRequest, takePairs } from "#operations/take-probes.ts";
import { systemClock } from "#platform/clock.ts";
import { readPairs, savePairs } from "#store/figures/probe-pairs.ts";
import { readLastRequests } from "#store/figures/probe-reach.ts";
import { takePart } from "#store/operators/maintenance-parts.ts";
import { deliveries } from "#store/schema/delivery-schema.ts";

import { deliveryRow } from "../dashboard/rows.ts";
import { startSink } from "../support/http-sink.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore } from "../support/store.ts";

const minuteMs = 60_000;
const vantage = vantageOf("iad1");

/** A relay that answers every probe, on a clock that the test sets. */
async function setUp(overrides: Partial<Probing> = {}) {
  const { db, pool } = await openTestStore();
  let hasEdge = true;
  const sink = await startSink({
    respond: ({ target }) => {
      const runtime = hasEdge && !target.endsWith("/node") ? "edge" : "nodejs";
      const timing = `handler;dur=0.1;desc="iad1,dpl_1,false,${runtime}"`;
      return { headers: { "server-timing": timing, "x-delivery-id": randomUUID() } };
    },
  });
  onTestFinished(() => sink.close());
  let nowMs = Date.now();
  const recording = createRecordingLog();
  const probing: Probing = {
    db,
    baseUrl: sink.url,
    bypassSecret: null,
    sign: (body) => signBody("app-secret", body),
    relaySecret: "relay-secret",
    deployment: "dpl_1",
    vantage,
    isEmulated: false,
    pairsPerDay: 384,
    fetch,
    random: () => 0.5,
    newId: randomUUID,
    clock: { ...systemClock, nowMs: () => nowMs },
    log: recording.log,
    ...overrides,
  };
  let last: unknown = null;
  return {
    db,
    pool,
    sink,
    probing,
    recording,
    leaveEdge: () => {
      hasEdge = false;
    },
    pass: (ms: number) => {
      nowMs += ms;
    },
    run: async (changed: Partial<Probing> = {}) => {
      const result = await runProbes({ ...probing, ...changed }, systemClock.monotonicMs() + 6_000, last);
      last = result;
      return result;
    },
    saved: async () =>
      (await pool.query<{ canary: boolean; cold: string }>("select * from relay.probe_pairs order by at")).rows,
  };
}

function pairOf(atMs: number, overrides: Partial<MeasuredPair> = {}): MeasuredPair {
  const probe = { ms: 20, handlerMs: 1, region: "iad1", coldStart: false, idleMs: 1_000, deliveryId: null };
  return {
    id: randomUUID(),
    burst: randomUUID(),
    atMs,
    first: "edge",
    deployment: "dpl_1",
    canary: false,
    edge: probe,
    nodejs: probe,
    ...overrides,
  };
}

describe("maintenance", () => {
  test("sends bursts at random gaps, and one canary an hour", async () => {
    const { run, pass, saved } = await setUp();
    expect(await run()).toMatchObject({ sent: 4, failure: null });
    expect(await run()).toMatchObject({ sent: 0 });
    for (let minutes = 5; minutes <= 60; minutes += 5) {
      pass(5 * minuteMs);
      await run();
    }
    const pairs = await saved();
    expect(pairs.length).toBeGreaterThanOrEqual(16);
    expect(pairs.length).toBeLessThanOrEqual(28);
    expect(pairs.filter(({ canary }) => canary)).toHaveLength(2);
  });

  test("keeps to the day's budget, whatever was sent, and sends none with a budget of 0", async () => {
    const { db, run, saved, pass, probing, sink } = await setUp();
    await savePairs(
      db,
      vantage,
      Array.from({ length: 382 }, () => pairOf(probing.clock.nowMs() - minuteMs)),
    );
    expect(await run()).toMatchObject({ sent: 2, sentToday: 384 });
    pass(61 * minuteMs);
    expect(await run()).toMatchObject({ sent: 0, sentToday: 384 });
    expect(await saved()).toHaveLength(384);
    const before = sink.requests.length;
    expect(await run({ pairsPerDay: 0 })).toEqual({ off: true });
    expect(sink.requests).toHaveLength(before);
  });

  test("does not make up for what it missed, and does not wait for what a smaller budget drew", async () => {
    const { run, pass } = await setUp();
    await run();
    pass(7 * 24 * 60 * minuteMs);
    expect(await run()).toMatchObject({ sent: 4 });
    pass(minuteMs);
    expect(await run()).toMatchObject({ sent: 4 });
    pass(minuteMs);
    expect(await run({ random: () => 0.99, pairsPerDay: 1 })).toMatchObject({ sent: 0 });
  });

  test("sends none where the webhook runs on Node, says so, and asks once a day and after each deployment", async () => {
    const { db, run, pass, saved, leaveEdge, probing, sink } = await setUp();
    leaveEdge();
    const said = { sent: 0, failure: "the webhook runs on Node, so there is no edge function to compare" };
    const nowMs = probing.clock.nowMs();
    const countAsked = () => sink.requests.filter(({ target }) => target === "/api/webhooks/instagram").length;
    expect(await run()).toMatchObject(said);
    for (let hours = 0; hours < 3; hours += 1) {
      pass(60 * minuteMs);
      expect(await run()).toMatchObject(said);
    }
    expect([countAsked(), await saved()]).toEqual([1, []]);
    pass(24 * 60 * minuteMs);
    expect(await run()).toMatchObject(said);
    expect(countAsked()).toBe(2);
    await run({ deployment: "dpl_2" });
    expect(countAsked()).toBe(3);

    // What "Send probes" finds is remembered, too, and no canary is missed.
    expect(await probeNow({ pairs: 2 }, probing)).toMatchObject({ pairs: [], failure: said.failure });
    const options = { db, vantage, pairsPerDay: 384, isEmulated: false, nowMs };
    expect(await readProbes(options)).toMatchObject({ withoutEdge: true });
    expect(await readCanaryFacts(db, { nowMs, pairsPerDay: 384 })).toMatchObject({ isExpected: false });
    const filter = { fromMs: nowMs - 60 * minuteMs, toMs: nowMs, nowMs, isEmulated: true };
    expect((await readVerdict(db, filter)).verdict).toMatchObject({ faster: "undecided", reason: "no-edge" });
  });

  test("says why a burst ended, and stores what was measured before", async () => {
    const { run, saved, recording } = await setUp({ baseUrl: "http://127.0.0.1:1" });
    expect(await run()).toMatchObject({ sent: 0, failure: "/api/webhooks/instagram/node cannot be reached" });
    expect(await saved()).toEqual([]);
    expect(recording.of("probes.failed")).toMatchObject([{ pairs: 0 }]);
  });

  test("a request for probes now is a conflict while others are sent, and its pairs count in the budget", async () => {
    const { db, probing, saved, run } = await setUp();
    await takePart(db, "probes");
    await expect(probeNow({ pairs: 2 }, probing)).rejects.toMatchObject({ code: "CONFLICT" });
    await db.$client.query("update relay.maintenance_parts set ms = 1");
    expect(await probeNow({ pairs: 2 }, probing)).toMatchObject({
      vantage,
      emulated: false,
      failure: null,
      pairs: [{}, {}],
    });
    expect(await saved()).toHaveLength(2);
    expect(await run()).toMatchObject({ sentToday: 6 });
  });
});

describe("pairs from elsewhere", () => {
  const probe = { ms: 20, handlerMs: 1, region: "iad1", coldStart: false, idleMs: 1_000 };
  const body = (pair: object = {}, edge: object = {}) => ({
    vantage: "laptop",
    pairs: [
      {
        id: randomUUID(),
        burst: randomUUID(),
        at: new Date().toISOString(),
        first: "edge",
        deployment: null,
        edge: { ...probe, ...edge },
        nodejs: probe,
        ...pair,
      },
    ],
  });

  test("are stored once, however often they are posted, and counted once in the figures", async () => {
    const { db, probing, pool } = await setUp();
    const request = v.parse(pairsRequest, body());
    expect(await takePairs(request, probing)).toEqual({ saved: 1, known: 0 });
    expect(await takePairs(request, probing)).toEqual({ saved: 0, known: 1 });
    expect((await readPairs(db, { fromMs: 0, toMs: Date.now() + minuteMs })).pairs).toMatchObject([
      { vantage: "laptop", edgeMs: 20 },
    ]);
    const { rows } = await pool.query("select runtime, probe, facts from relay.measurements order by runtime");
    expect(rows).toEqual([
      { runtime: "edge", probe: true, facts: { times: [["probe", 20, 1]] } },
      { runtime: "nodejs", probe: true, facts: { times: [["probe", 20, 1]] } },
    ]);
  });

  test.each([
    ["a day ahead", 24 * 60, /in the future: the clock .* is fast/],
    ["a day behind", -24 * 60, /ago: it is too old, or the clock .* is slow/],
  ])("of a machine whose clock is %s are refused with the reason", async (_name, minutes, message) => {
    const { probing } = await setUp();
    const request = v.parse(pairsRequest, body({ at: new Date(Date.now() + minutes * minuteMs).toISOString() }));
    await expect(takePairs(request, probing)).rejects.toMatchObject({
      code: "REQUEST_INVALID",
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ["a negative time", body({}, { ms: -1 })],
    ["no time at all", body({}, { ms: 0 })],
    ["an hour", body({}, { ms: 3_600_000 })],
    ["a handler that took longer than the whole", body({}, { handlerMs: 30 })],
    ["a handler without an answer", body({}, { ms: null })],
    ["a text", body({}, { ms: "20" })],
    ["an unknown member", body({ canary: true })],
    ["a relay's own place", { ...body(), vantage: "this deployment's Node function in iad1" }],
    ["no pairs", { vantage: "laptop", pairs: [] }],
    ["too many", { vantage: "laptop", pairs: Array.from({ length: 101 }, () => body().pairs[0]) }],
  ])("with %s are refused", (_name, request) => {
    expect(v.is(pairsRequest, request)).toBe(false);
  });
});

test("a function's last request is a delivery from Meta or a probe, of the same deployment", async () => {
  const { db, probing } = await setUp();
  const nowMs = probing.clock.nowMs();
  expect(await readLastRequests(db, "dpl_1", nowMs)).toEqual({ edge: null, nodejs: null });
  const at = (minutes: number) => new Date(nowMs - minutes * minuteMs);
  await db
    .insert(deliveries)
    .values([
      deliveryRow({ id: "1", runtime: "edge", receivedAt: at(3) }),
      deliveryRow({ id: "2", runtime: "nodejs", receivedAt: at(2), deployment: "dpl_0" }),
    ]);
  await savePairs(db, "laptop", [pairOf(at(5).getTime())]);
  expect(await readLastRequests(db, "dpl_1", nowMs)).toEqual({
    edge: nowMs - 3 * minuteMs,
    nodejs: nowMs - 5 * minuteMs,
  });
});

describe("the verdict", () => {
  const nowMs = Date.now();
  const filter = { fromMs: nowMs - 24 * 60 * minuteMs, toMs: nowMs, nowMs, isEmulated: false };

  /** Bursts of four pairs in which the edge takes this share of Node's time. */
  const burstsOf = (count: number, share: number, idleMs: number | null) =>
    Array.from({ length: count }, (_, index) => {
      const burst = randomUUID();
      return Array.from({ length: 4 }, (__, at) => {
        const ms = 40 + ((index * 7 + at * 13) % 29);
        const probe = { ms, handlerMs: 1, region: null, coldStart: false, idleMs, deliveryId: null };
        return pairOf(nowMs - (index + 1) * minuteMs, {
          burst,
          edge: { ...probe, ms: ms * share + ((index + at) % 3) },
          nodejs: probe,
        });
      });
    }).flat();

  test("is that of the window's pairs, warm and cold apart, and names where they were sent from", async () => {
    const { db } = await openTestStore();
    await savePairs(db, vantage, burstsOf(60, 0.5, 1_000));
    await savePairs(db, vantage, burstsOf(2, 1, null));
    await savePairs(db, vantage, [pairOf(nowMs - minuteMs, { canary: true })]);
    const { verdict, otherStart, arePairsCut } = await readVerdict(db, filter);
    expect(verdict).toMatchObject({ faster: "edge", reason: "decided", pairs: 240, vantage });
    expect(otherStart).toMatchObject({ start: "cold", faster: "undecided", reason: "too-few", pairs: 8 });
    expect(arePairsCut).toBe(false);
    expect((await readVerdict(db, { ...filter, isEmulated: true })).verdict.reason).toBe("emulated");
    expect((await readVerdict(db, { ...filter, deployment: "dpl_9" })).verdict.reason).toBe("no-pairs");
  });

  test("rests on the newest pairs of a window that has too many, and says so", async () => {
    const { db } = await openTestStore();
    await savePairs(db, vantage, burstsOf(5, 1, 1_000));
    const { pairs, isCut } = await readPairs(db, { ...filter, max: 10 });
    expect([pairs.length, isCut]).toEqual([10, true]);
    expect(pairs.every(({ atMs }) => atMs >= nowMs - 3 * minuteMs)).toBe(true);
  });
});

test("the status has the budget, what was sent, and the canaries that are still under way", async () => {
  const { db, run, probing } = await setUp();
  await run();
  const status = await readProbes({ db, vantage, pairsPerDay: 384, isEmulated: true, nowMs: probing.clock.nowMs() });
  expect(status).toMatchObject({ budget: { pairsPerDay: 384 }, sentToday: 4, emulated: true, vantage });
  expect(status.canaries).toMatchObject([{ edge: { endToEndMs: null }, nodejs: { endToEndMs: null } }]);
});
