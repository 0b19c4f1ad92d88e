import { describe, expect, test } from "vitest";

import { parseComparison, readRuntimes } from "#dashboard/runtimes/read-runtimes.ts";
import type { InstagramEvent } from "#instagram/events.ts";
import type { ForwardReport } from "#measurements/report.ts";
import { type ComparisonFilter, windowNames } from "#measurements/runtime-comparison.ts";
import { rollUp } from "#operations/roll-up.ts";
import { sumRegions } from "#operations/sum-regions.ts";
import { systemClock } from "#platform/clock.ts";
import type { ForwardedDelivery } from "#platform/delivery.ts";
import { saveReports } from "#store/deliveries/save-reports.ts";
import { settleEvents } from "#store/handling/settle-events.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";

import { insertMeasurements, type MeasurementRow } from "../../operations/measurement-rows.ts";
import { createRecordingLog } from "../../support/recording-log.ts";
import { ended, settlement } from "../../support/settle.ts";
import { openTestStore, testBatch, testEvent, toStore } from "../../support/store.ts";

const minuteMs = 60_000;

interface Step extends Partial<ForwardedDelivery> {
  via?: "queue" | "fallback";
  /** From the webhook's call to the consumer's, by their clocks. */
  deliveredAfterMs?: number;
  events?: InstagramEvent[];
  batch?: readonly [number, number];
}

/** A store in which deliveries are ingested and reported as in production, a minute ago. */
async function setUp() {
  const { db } = await openTestStore();
  const nowMs = Date.now();
  const receivedAtMs = nowMs - minuteMs;
  const ingest = async (id: string, step: Step = {}) => {
    const { via = "queue", deliveredAfterMs = 100, events, batch = [0, 1], ...facts } = step;
    const { delivery, ...rest } = testBatch(id, events ?? [testEvent(id, { sentAtMs: receivedAtMs - 900 })], batch);
    const known = { region: "fra1", deployment: "dpl_1", ackMs: 3, receivedAtMs, publishStartedAtMs: receivedAtMs + 3 };
    const whole = { ...rest, delivery: { ...delivery, ...known, ...facts } };
    const deliveredAtMs = whole.delivery.receivedAtMs + deliveredAfterMs;
    const stored = await storeBatch(db, {
      ...toStore(whole, deliveredAtMs),
      via,
      delivered: { atMs: deliveredAtMs, monotonicMs: systemClock.monotonicMs() },
    });
    return stored.leased;
  };
  const report = (id: string, rest: Partial<ForwardReport> = {}) =>
    saveReports(
      db,
      [
        {
          deliveryId: id,
          runtime: "edge",
          region: "fra1",
          deployment: "dpl_1",
          coldStart: false,
          receivedAtMs,
          bodyBytes: 1,
          secretIndex: 0,
          probe: false,
          events: 1,
          outcome: "published",
          ackMs: 4,
          publishMs: 40,
          publishedAtMs: receivedAtMs + 43,
          messageIds: [],
          attempts: 1,
          timeouts: 0,
          sampleRate: 1,
          ackInBatch: true,
          errorType: null,
          ...rest,
        },
      ],
      nowMs,
    );
  /** The comparison, which is the same before a roll-up and after it. */
  const read = async (filter: Partial<ComparisonFilter> = {}) => {
    const query = { window: "1h", region: null, deployment: null, cold: "all", ...filter } as const;
    const options = { nowMs, isEmulated: false, rollUp: async () => {}, log: createRecordingLog().log };
    const before = await readRuntimes(db, query, options);
    await rollUp(db, systemClock, Infinity);
    const comparison = await readRuntimes(db, query, options);
    expect(comparison).toEqual(before);
    const [edge, node] = comparison.runtimes;
    if (edge === undefined || node === undefined) throw new Error("A runtime is missing");
    return { ...comparison, edge, node };
  };
  return { db, nowMs, receivedAtMs, ingest, report, read };
}

const near = (ms: number) => expect.closeTo(ms, ms < 10 ? 1 : 0) as number;

test("without measurements both runtimes are listed, edge first, without figures", async () => {
  const { read } = await setUp();
  const { runtimes, deployments, regions, skew, verdict } = await read();
  const nothing = {
    deliveries: 0,
    events: 0,
    published: 0,
    fallback: 0,
    lost: 0,
    refused: 0,
    publishSuccessRate: null,
  };
  const unmeasured = {
    ackMs: null,
    publishMs: null,
    queueMs: null,
    ingestMs: null,
    handlerMs: null,
    endToEndMs: null,
    probeMs: null,
  };
  expect(runtimes).toMatchObject(
    ["edge", "nodejs"].map((runtime) => ({
      runtime,
      ...nothing,
      ...unmeasured,
      ackWithin: null,
      histograms: {},
      errors: {},
    })),
  );
  expect({ deployments, regions, skew }).toEqual({ deployments: [], regions: [], skew: [] });
  expect(verdict).toMatchObject({ faster: "undecided", pairs: 0 });
});

describe("a delivery counts once", () => {
  test.each([
    ["only ingested", ["ingest"]],
    ["only reported", ["report"]],
    ["reported, then ingested", ["report", "report", "ingest", "ingest"]],
    ["ingested, then reported", ["ingest", "report", "ingest", "report"]],
  ])("%s", async (_name, steps) => {
    const { read, ingest, report } = await setUp();
    for (const step of steps)
      await (step === "ingest" ? ingest("d1", { coldStart: true }) : report("d1", { coldStart: true }));
    const { edge, node } = await read();
    expect(edge).toMatchObject({
      deliveries: 1,
      published: 1,
      coldStarts: 1,
      publishSuccessRate: 1,
      ackMs: { count: 1 },
    });
    expect(edge.events).toBe(steps.includes("ingest") ? 1 : 0);
    expect(edge.publishMs).toEqual(
      steps.includes("report") ? { count: 1, p50: near(40), p95: near(40), p99: near(40), max: 40 } : null,
    );
    expect(node.deliveries).toBe(0);
  });
});

test("stages are measured from the stage before, and handlers by the delivery that brought the event", async () => {
  const { db, read, ingest } = await setUp();
  const leased = await ingest("d1");
  await settleEvents(db, settlement(ended(leased, "handled", { ms: 7 })));
  const { edge } = await read();
  expect(edge.queueMs).toMatchObject({ count: 1, p50: near(97) });
  expect(edge.handlerMs).toMatchObject({ count: 1, max: 7 });
  expect(edge.ingestMs?.count).toBe(1);
  // 900 ms before the webhook, 100 ms until the consumer, and its own time.
  expect(edge.endToEndMs?.max).toBeCloseTo(1_000 + (edge.ingestMs?.max ?? 0), 1);
  expect(edge.histograms.queueMs).toMatchObject([{ count: 1 }]);
  expect(edge.series.filter(({ count }) => count > 0)).toMatchObject([
    { count: 1, ackP50: near(3), publishP95: null, lost: 0 },
  ]);
});

test("outcomes, errors and timeouts; a delivery that was reported as lost and is complete was not lost", async () => {
  const { read, ingest, report } = await setUp();
  const failed = { errorType: "PUBLISH_TIMEOUT", timeouts: 4, attempts: 4, publishedAtMs: null } as const;
  await report("lost", { ...failed, outcome: "lost" });
  await report("refused", { ...failed, outcome: "refused", ackMs: null, runtime: "nodejs" });
  await ingest("fallback", { via: "fallback" });
  await report("fallback", { ...failed, outcome: "fallback" });
  await report("too large", { outcome: "fallback", attempts: 0 });
  expect(await read()).toMatchObject({
    edge: {
      deliveries: 3,
      lost: 1,
      fallback: 2,
      published: 0,
      publishTimeouts: 8,
      errors: { PUBLISH_TIMEOUT: 2 },
      publishSuccessRate: 0,
    },
    node: { deliveries: 1, refused: 1, ackMs: null },
  });
  await ingest("lost", { via: "fallback" });
  expect((await read()).edge).toMatchObject({ deliveries: 3, lost: 0, fallback: 3 });
  for (const index of [1, 0, 2]) {
    expect((await read()).edge.lost).toBe(index === 1 ? 0 : 1);
    if (index === 1) await report("parts", { ...failed, outcome: "lost" });
    await ingest("parts", { batch: [index, 3], events: [testEvent(`part ${index}`)] });
  }
  expect((await read()).edge).toMatchObject({ deliveries: 4, lost: 0, fallback: 4 });
});

test("a report that comes after an incomplete ingestion corrects the outcome", async () => {
  const { read, ingest, report } = await setUp();
  await ingest("d1", { batch: [0, 2] });
  await report("d1", { outcome: "lost", errorType: "PUBLISH_NETWORK" });
  expect((await read()).edge).toMatchObject({ deliveries: 1, published: 0, lost: 1 });
  await ingest("d1", { batch: [1, 2], events: [testEvent("second")] });
  expect((await read()).edge).toMatchObject({ deliveries: 1, published: 0, lost: 0, fallback: 1 });
});

test("a sampled report stands for those that were not sent; a failure for itself", async () => {
  const { read, report } = await setUp();
  await report("sampled", { sampleRate: 0.1, publishMs: 20, timeouts: 1, errorType: "PUBLISH_TIMEOUT" });
  await report("failed", { outcome: "lost", publishMs: 9_000, errorType: "PUBLISH_TIMEOUT" });
  const { edge } = await read();
  expect(edge.publishMs).toMatchObject({ count: 11, p50: near(20), max: 9_000 });
  expect(edge).toMatchObject({
    deliveries: 2,
    published: 1,
    lost: 1,
    publishTimeouts: 10,
    errors: { PUBLISH_TIMEOUT: 11 },
  });
});

test("an ack that is not in the batch is the report's, and in no sum twice", async () => {
  const { read, ingest, report } = await setUp();
  await ingest("d1", { ackMs: null });
  await report("d1", { ackMs: 400, ackInBatch: false });
  await report("d2", { ackMs: 200, ackInBatch: false });
  await ingest("d2", { ackMs: null });
  await ingest("d3", { ackMs: 2_000 });
  await ingest("d4", { ackMs: 6_000, runtime: "nodejs" });
  const { edge, node } = await read();
  expect(edge.ackMs).toMatchObject({ count: 3, max: 2_000 });
  expect(edge.ackWithin).toEqual({ ms250: 1 / 3, ms1000: 2 / 3, ms5000: 1 });
  expect(node.ackWithin).toEqual({ ms250: 0, ms1000: 0, ms5000: 0 });
});

test("negative differences between clocks are skew, and in no latency", async () => {
  const { read, ingest } = await setUp();
  await ingest("behind", { deliveredAfterMs: -5_000 });
  await ingest("right");
  const { edge, skew } = await read();
  expect(edge.queueMs).toMatchObject({ count: 1, p50: near(97) });
  expect(skew.map(({ pair, negative, count }) => [pair, negative, count])).toEqual([
    ["edge-consumer", 1, 2],
    ["meta-consumer", 1, 2],
  ]);
  expect((skew[0]?.medianMs ?? 0) / 5_003).toBeCloseTo(1, 1);
});

test("impossible times are limited, and one of the future counts as of now", async () => {
  const { read, ingest, report, nowMs } = await setUp();
  await ingest("d1", { receivedAtMs: nowMs + 400 * 24 * 60 * minuteMs, ackMs: 8e15, publishStartedAtMs: 0 });
  await report("d2", { publishMs: 8e15, receivedAtMs: nowMs + 1e12 });
  const { edge } = await read();
  expect(edge).toMatchObject({ deliveries: 2, ackMs: { max: 86_400_000 }, publishMs: { max: 86_400_000 } });
});

test("filters by region, deployment and start; what they can be set to is what was measured", async () => {
  const { read, ingest, receivedAtMs } = await setUp();
  await ingest("a");
  await ingest("b", { region: "iad1", deployment: "dpl_2", receivedAtMs: receivedAtMs + minuteMs / 2 });
  await ingest("c", { region: "iad1", coldStart: true, runtime: "nodejs" });
  await ingest("d", { region: null, deployment: null });
  const counts = async (filter: Partial<ComparisonFilter>) => {
    const { edge, node } = await read(filter);
    return [edge.deliveries, node.deliveries];
  };
  expect(await counts({})).toEqual([3, 1]);
  expect(await counts({ region: "iad1" })).toEqual([1, 1]);
  expect(await counts({ deployment: "dpl_1" })).toEqual([1, 1]);
  expect(await counts({ deployment: "dpl_1", cold: "warm" })).toEqual([1, 0]);
  expect(await counts({ cold: "cold" })).toEqual([0, 1]);
  expect(await counts({ region: "nowhere" })).toEqual([0, 0]);
  const { regions, deployments, window } = await read({ region: "nowhere" });
  expect(window).toMatchObject({ region: "nowhere", deployment: null, cold: "all" });
  expect(regions).toEqual(["fra1", "iad1"]);
  expect(deployments.map(({ id }) => id).toSorted()).toEqual(["dpl_1", "dpl_2"]);
});

test("probes are in no figure of traffic, and events count as new or as repeated", async () => {
  const { read, ingest } = await setUp();
  await ingest("canary", { probe: true });
  await ingest("d1", { events: [testEvent("m"), testEvent("r", { kind: "read" })] });
  await ingest("d2", { events: [testEvent("m"), testEvent("n")] });
  expect((await read()).edge).toMatchObject({ deliveries: 2, events: 4, ackMs: { count: 2 } });
});

test("a handler's error with any name stops no roll-up", async () => {
  const { db, read, ingest } = await setUp();
  const leased = await ingest("d1");
  const [result] = ended(leased, "dead");
  if (result === undefined) throw new Error("Nothing is leased");
  const error = { name: "\0\uD800x".repeat(100), code: null, message: null, frames: [], fingerprint: "f" };
  await settleEvents(db, settlement([{ ...result, error }]));
  expect((await read()).edge.handlerMs).toMatchObject({ count: 1 });
});

test("every window is accepted, and the error for another one names the parameter", () => {
  const parse = (query: Record<string, string>) => parseComparison(new URLSearchParams(query));
  for (const name of windowNames) expect(parse({ window: name }).window).toBe(name);
  expect(parse({})).toEqual({ window: "1h", region: null, deployment: null, cold: "all" });
  expect(parse({ region: "fra1", deployment: "dpl_1", cold: "warm" })).toMatchObject({ region: "fra1", cold: "warm" });
  expect(() => parse({ window: "2h" })).toThrow(/^window must be one of/);
  expect(() => parse({ cold: "lukewarm" })).toThrow(/^cold must be one of/);
});

test("a window of hours or days is the same before its figures are summed up over regions, between and after", async () => {
  const { db, nowMs } = await setUp();
  const rows = Array.from({ length: 300 }, (_, index): MeasurementRow => ({
    at: new Date(nowMs - index * 2.2 * 60 * minuteMs),
    runtime: index % 2 === 0 ? "edge" : "nodejs",
    region: ["fra1", "iad1", null][index % 3] ?? null,
    deployment: index < 100 ? "dpl_2" : "dpl_1",
    cold: index % 5 === 0,
    times: [
      ["ack", 1 + (index % 40), 1],
      ["ingest", 1 + (index % 90), 1],
    ],
    deliveries: 1,
  }));
  const readAll = () =>
    Promise.all(
      (["7d", "30d"] as const).flatMap((window) =>
        [{}, { cold: "warm" }, { deployment: "dpl_1" }, { region: "iad1" }].map((filter) =>
          readRuntimes(
            db,
            { window, region: null, deployment: null, cold: "all", ...(filter as Partial<ComparisonFilter>) },
            { nowMs, isEmulated: false, rollUp: async () => {}, log: createRecordingLog().log },
          ),
        ),
      ),
    );
  const expected: Awaited<ReturnType<typeof readAll>>[] = [];
  for (const part of [rows.slice(0, 200), rows.slice(200)]) {
    await insertMeasurements(db, part);
    await rollUp(db, systemClock, Infinity);
    expected.push(await readAll());
    await sumRegions(db, systemClock, Infinity);
    expect(await readAll()).toEqual(expected.at(-1));
  }
  const [first, second] = expected.map((all) => all[4]?.runtimes.map(({ deliveries }) => deliveries));
  expect([first, second]).toEqual([
    [100, 100],
    [150, 150],
  ]);
  const { rows: left } = await db.$client.query("select count(*)::int as n from relay.unsummed_intervals");
  expect((left[0] as { n: number }).n).toBeLessThan(4);
});

test("a damaged figure leaves the others: it is named, counted, in no percentile, and does not stop a roll-up", async () => {
  const { db, nowMs } = await setUp();
  const { log, of } = createRecordingLog();
  const row = (daysAgo: number, region: string, ms: number): MeasurementRow => ({
    at: new Date(nowMs - daysAgo * 24 * 60 * minuteMs),
    runtime: "edge",
    region,
    deployment: null,
    cold: false,
    times: [["ack", ms, 1]],
    deliveries: 1,
  });
  const rollUpAll = () => rollUp(db, systemClock, Infinity, log);
  const read = () =>
    readRuntimes(
      db,
      { window: "30d", region: null, deployment: null, cold: "all" },
      { nowMs, isEmulated: false, rollUp: async () => {}, log },
    );
  await insertMeasurements(db, [row(3, "fra1", 10), row(3, "iad1", 900), row(5, "fra1", 10)]);
  await rollUpAll();
  const { rows: damaged } = await db.$client.query<{ id: number }>(
    `update relay.figures f set buckets = '\\x0102' from relay.measurement_series s
    where s.id = series_id and metric = 'ack' and region = 'iad1' and tier in ('hour', 'day', 'total') returning s.id`,
  );
  // Before and after a maintenance, which leaves the interval with the damaged figure as it is.
  for (const summed of [0, 2]) {
    expect(summed === 0 ? 0 : await sumRegions(db, systemClock, Infinity)).toBe(summed);
    const { damaged: count, runtimes } = await read();
    expect([count, runtimes[0]?.ackMs, runtimes[0]?.ackWithin?.ms250]).toEqual([
      1,
      { count: 3, p50: near(10), p95: near(10), p99: near(10), max: 900 },
      2 / 3,
    ]);
  }
  expect(of("figures.damaged").at(-1)).toMatchObject({
    level: "error",
    tier: "day",
    damaged: 1,
    figures: [expect.stringContaining(`${damaged[0]?.id} `) as string],
  });

  await insertMeasurements(db, [row(3, "iad1", 20)]);
  expect(await rollUpAll()).toBe(1);
  expect(of("figures.damaged").filter(({ tier }) => tier === "total")).toHaveLength(1);
  expect(await sumRegions(db, systemClock, Infinity)).toBe(2);
  expect(await read()).toMatchObject({ damaged: 0, runtimes: [{ ackMs: { count: 4, p99: near(20) } }, {}] });
});
