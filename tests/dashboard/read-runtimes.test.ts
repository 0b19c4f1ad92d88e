import { expect, test } from "vitest";

import { parseWindow, readRuntimes } from "#dashboard/read-runtimes.ts";
import { deliveries, deliveryBatches } from "#store/delivery-schema.ts";
import { windowNames } from "#measurements/runtime-comparison.ts";

import { openTestStore } from "../support/store.ts";
import { batchRow, deliveryRow, eventRow, insertEvents, ingested, unreported, type DeliveryRow } from "./rows.ts";

const now = new Date("2026-01-31T12:00:00.000Z");
const before = (ms: number) => new Date(now.getTime() - ms);
const minuteMs = 60_000;

async function compare(rows: Partial<DeliveryRow>[]) {
  const { db } = await openTestStore();
  for (const [index, row] of rows.entries()) {
    await db.insert(deliveries).values(deliveryRow({ id: `d_${index}`, receivedAt: before(minuteMs), ...row }));
  }
  const read = async () => {
    const comparison = await readRuntimes(db, "1h", now.getTime());
    const [edge, node] = comparison.runtimes;
    if (edge === undefined || node === undefined) throw new Error("A runtime is missing");
    return { ...comparison, edge, node };
  };
  return { db, read };
}

test("without deliveries both runtimes are listed, edge first, without figures or a verdict", async () => {
  const { read } = await compare([]);
  const { runtimes, window, verdict } = await read();
  expect(window).toEqual({ from: "2026-01-31T11:00:00.000Z", to: "2026-01-31T12:00:00.000Z" });
  expect(runtimes.map(({ runtime, series: _series, ...rest }) => [runtime, rest])).toEqual(
    ["edge", "nodejs"].map((runtime) => [
      runtime,
      {
        deliveries: 0,
        events: 0,
        published: 0,
        fallback: 0,
        lost: 0,
        refused: 0,
        refusals: {},
        publishSuccessRate: null,
        publishTimeouts: 0,
        errors: {},
        coldStarts: 0,
        ackMs: null,
        publishMs: null,
        queueMs: null,
        ingestMs: null,
        endToEndMs: null,
        probeMs: null,
      },
    ]),
  );
  expect(verdict).toBeNull();
});

test("counts outcomes, errors, timeouts and cold starts by runtime", async () => {
  const { read } = await compare([
    { coldStart: true },
    { attempts: 2, timeouts: 1, errorType: "PUBLISH_TIMEOUT" },
    { outcome: "fallback", timeouts: 4, errorType: "PUBLISH_TIMEOUT" },
    { outcome: "lost", errorType: "PUBLISH_NETWORK" },
    { outcome: "refused", ackMs: null, runtime: "nodejs", errorType: "PUBLISH_NETWORK" },
  ]);
  const { edge, node } = await read();
  expect(edge).toMatchObject({ deliveries: 4, published: 2, fallback: 1, lost: 1, coldStarts: 1, publishTimeouts: 5 });
  expect(edge.publishSuccessRate).toBe(0.5);
  expect(edge.errors).toEqual({ PUBLISH_NETWORK: 1, PUBLISH_TIMEOUT: 2 });
  expect(node).toMatchObject({ deliveries: 1, published: 0, lost: 0, refused: 1, publishSuccessRate: 0 });
});

test("a delivery that was reported as lost and is complete was not lost", async () => {
  const first = ingested({ deliveredAt: before(1_000), batches: 2, via: "fallback" });
  const { db, read } = await compare([{ ...first, outcome: "lost" }, { outcome: "lost" }]);
  expect((await read()).edge).toMatchObject({ lost: 2, fallback: 0 });
  await db.insert(deliveryBatches).values(batchRow({ deliveryId: "d_0", deliveredAt: before(1_000) }));
  expect((await read()).edge).toMatchObject({ lost: 1, fallback: 1 });
});

test("percentiles are interpolated, and a forward without an attempt does not count for publishing", async () => {
  const rows = Array.from({ length: 101 }, (_, index) => ({ ackMs: index, publishMs: index * 2 }));
  const { read } = await compare([...rows, { attempts: 0, ackMs: null, publishMs: 9_999, outcome: "fallback" }]);
  const { edge } = await read();
  expect(edge.ackMs).toEqual({ count: 101, p50: 50, p95: 95, p99: 99, max: 100 });
  expect(edge.publishMs).toEqual({ count: 101, p50: 100, p95: 190, p99: 198, max: 200 });
});

test("a delivery that was ingested without a report counts by the way it came, with the ack time that the batch carries", async () => {
  const way = ingested({ deliveredAt: before(1_000), inserted: 2, duplicates: 3 });
  const { read } = await compare([
    { ...unreported, ...way },
    { ...unreported, ...way, via: "fallback", runtime: "nodejs", ackMs: null },
    { ...unreported, ...way, via: null, ingestedAt: null, deliveredAt: null, inserted: null, duplicates: null },
  ]);
  const { edge, node } = await read();
  expect(edge).toMatchObject({ deliveries: 2, events: 5, published: 1, refused: 0, publishSuccessRate: 1 });
  expect(edge.ackMs).toMatchObject({ count: 2, p50: 3 });
  expect(edge.ingestMs).toMatchObject({ p50: 9.5 });
  expect(node).toMatchObject({ deliveries: 1, published: 0, fallback: 1, publishSuccessRate: 0, queueMs: null });
});

test("queue, ingest and end to end are measured from the stage before, never below zero", async () => {
  const receivedAt = before(minuteMs);
  const after = (ms: number) => new Date(receivedAt.getTime() + ms);
  const times = (deliveredMs: number, ingestMs: number) =>
    ingested({ deliveredAt: after(deliveredMs), ingestedAt: after(deliveredMs + ingestMs), ingestMs });
  const { db, read } = await compare([
    { receivedAt, publishedAt: after(50), ...times(150, 8) },
    { receivedAt, publishedAt: after(50), ...times(40, 12) },
    { receivedAt, ...unreported, publishStartedAt: after(20), ...times(70, 10), runtime: "nodejs" },
  ]);
  await insertEvents(db, [
    eventRow({ key: "k0", deliveryId: "d_0", ingestedAt: after(158), sentAt: after(-842) }),
    eventRow({ key: "k1", deliveryId: "d_1", ingestedAt: after(52), sentAt: after(5_000) }),
  ]);
  const { edge, node } = await read();
  expect(edge.queueMs).toMatchObject({ count: 2, p50: 50, max: 100 });
  expect(edge.ingestMs).toMatchObject({ count: 2, p50: 10, max: 12 });
  expect(edge.endToEndMs).toMatchObject({ count: 2, p50: 500, max: 1_000 });
  // Without a report, from the start of the publish.
  expect(node.queueMs).toMatchObject({ count: 1, p50: 50 });
});

test("the batches of a large delivery count for ingestion each, and end with the last", async () => {
  const receivedAt = before(minuteMs);
  const after = (ms: number) => new Date(receivedAt.getTime() + ms);
  const { db, read } = await compare([
    { receivedAt, publishedAt: after(50), ...ingested({ deliveredAt: after(300), batches: 2, ingestMs: 8 }) },
  ]);
  const batch = { deliveryId: "d_0", deliveredAt: after(100), ingestedAt: after(900), ingestMs: 20, inserted: 4 };
  await db.insert(deliveryBatches).values(batchRow(batch));
  await insertEvents(db, [eventRow({ key: "k0", deliveryId: "d_0", ingestedAt: after(310), sentAt: after(-100) })]);
  const { edge } = await read();
  expect(edge).toMatchObject({ events: 5, queueMs: { max: 50 }, endToEndMs: { max: 1_000 } });
  expect(edge.ingestMs).toMatchObject({ count: 2, p50: 14, max: 20 });
});

test("end to end leaves out dashboard tests, replays of old deliveries, duplicates and incomplete deliveries", async () => {
  const ingestedAt = before(1_000);
  const way = ingested({ deliveredAt: ingestedAt });
  const { db, read } = await compare([way, way, way, { ...way, batches: 2 }]);
  await insertEvents(db, [
    eventRow({ key: "test", deliveryId: "d_0", ingestedAt, test: true }),
    eventRow({ key: "old", deliveryId: "d_1", ingestedAt, sentAt: before(40 * 60 * minuteMs) }),
    eventRow({ key: "incomplete", deliveryId: "d_3", ingestedAt }),
  ]);
  expect((await read()).edge.endToEndMs).toBeNull();
});

test("deliveries outside the window are left out, and the series adds up to the rest", async () => {
  const { read } = await compare([
    { receivedAt: before(61 * minuteMs) },
    { receivedAt: before(59 * minuteMs), ackMs: 1 },
    { receivedAt: before(30 * minuteMs), ackMs: 2 },
    { receivedAt: before(30 * minuteMs), ackMs: 4, runtime: "nodejs" },
    { receivedAt: new Date(now.getTime() + 1) },
  ]);
  const { edge, node } = await read();
  expect(edge.deliveries).toBe(2);
  expect(edge.series.map((point) => point.at)).toEqual(node.series.map((point) => point.at));
  expect(edge.series.length).toBeLessThanOrEqual(60);
  expect(edge.series.filter((point) => point.count > 0)).toEqual([
    { at: "2026-01-31T11:00:00.000Z", count: 1, ackP50: 1, ackP95: 1, ackP99: 1, publishP95: 38 },
    { at: "2026-01-31T11:30:00.000Z", count: 1, ackP50: 2, ackP95: 2, ackP99: 2, publishP95: 38 },
  ]);
});

test("every window is accepted, and the error for another one names the parameter", () => {
  for (const name of windowNames) expect(parseWindow(new URLSearchParams({ window: name }))).toBe(name);
  expect(parseWindow(new URLSearchParams())).toBe("1h");
  expect(() => parseWindow(new URLSearchParams({ window: "2h" }))).toThrow(/^window must be one of/);
});
