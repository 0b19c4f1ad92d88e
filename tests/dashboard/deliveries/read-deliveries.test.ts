import { expect, test } from "vitest";

import { parseDeliveryFilter } from "#dashboard/deliveries/delivery-filter.ts";
import { readDeliveries } from "#dashboard/deliveries/read-deliveries.ts";
import { systemClock } from "#platform/clock.ts";
import { deliveryUuid } from "#store/ingest/delivery-uuid.ts";
import { deliveries } from "#store/schema/delivery-schema.ts";

import { openTestStore } from "../../support/store.ts";
import { deliveryRow, type DeliveryRow, ingested, unreported } from "../rows.ts";

const receivedAt = new Date("2026-01-31T12:00:00.000Z");
const after = (ms: number) => new Date(receivedAt.getTime() + ms);
const filter = (query: Record<string, string>) => parseDeliveryFilter(new URLSearchParams(query));

async function openWith(rows: (Partial<DeliveryRow> & { id: string })[]) {
  const { db } = await openTestStore();
  for (const row of rows) await db.insert(deliveries).values(deliveryRow({ receivedAt, ...row }));
  const names = new Map(rows.map(({ id }) => [deliveryUuid(id), id]));
  const read = (query: Record<string, string> = {}) => readDeliveries(db, filter(query), systemClock);
  return {
    db,
    read,
    ids: async (query: Record<string, string>) => (await read(query)).deliveries.map(({ id }) => names.get(id)),
  };
}

test("a delivery in the list is as on its page", async () => {
  const { read } = await openWith([{ id: "d_1", ...unreported, ...ingested({ deliveredAt: after(100) }) }]);
  expect(await read()).toEqual({
    deliveries: [
      {
        id: deliveryUuid("d_1"),
        runtime: "edge",
        region: "fra1",
        deployment: "dpl_1",
        coldStart: false,
        probe: false,
        outcome: "published",
        via: "queue",
        events: 1,
        inserted: 1,
        duplicates: 0,
        receivedAt: "2026-01-31T12:00:00.000Z",
        ackMs: 3,
        publishedAt: null,
        deliveredAt: "2026-01-31T12:00:00.100Z",
        ingestedAt: "2026-01-31T12:00:00.110Z",
        handledAt: "2026-01-31T12:00:00.115Z",
        error: null,
      },
    ],
    nextCursor: null,
    scannedTo: null,
  });
});

test("a probe is in no list, only on its page", async () => {
  const { ids } = await openWith([{ id: "from Meta" }, { id: "canary", probe: true }]);
  expect(await ids({})).toEqual(["from Meta"]);
  expect(await ids({ outcome: "published" })).toEqual(["from Meta"]);
});

test("deliveries are found by outcome, runtime, error, region, deployment, slow acks and time of receipt", async () => {
  const { ids } = await openWith([
    { id: "late", receivedAt: after(5_000) },
    { id: "plain", receivedAt: after(4_000) },
    { id: "fell back", receivedAt: after(3_000), outcome: "lost", ...ingested({ deliveredAt: after(3_100) }) },
    { id: "lost", receivedAt: after(2_000), outcome: "lost", errorType: "PUBLISH_TIMEOUT", runtime: "nodejs" },
    { id: "slow", receivedAt: after(1_000), ackMs: 900.5, region: "iad1", deployment: "dpl_2" },
    { id: "early", receivedAt },
  ]);
  expect(await ids({ outcome: "lost" })).toEqual(["lost"]);
  expect(await ids({ outcome: "fallback" })).toEqual(["fell back"]);
  expect(await ids({ runtime: "nodejs" })).toEqual(["lost"]);
  expect(await ids({ error: "PUBLISH_TIMEOUT", outcome: "lost" })).toEqual(["lost"]);
  expect(await ids({ region: "iad1" })).toEqual(["slow"]);
  expect(await ids({ deployment: "dpl_2" })).toEqual(["slow"]);
  expect(await ids({ ackMsMin: "900.5" })).toEqual(["slow"]);
  expect(await ids({ from: after(1_000).toISOString(), to: after(3_000).toISOString() })).toEqual(["lost", "slow"]);
  expect(await ids({ region: "" })).toHaveLength(6);
});

test("pages are complete and without repeats, also for deliveries of the same time and where few match", async () => {
  const rows = Array.from({ length: 120 }, (_, index) => ({
    id: `d_${index}`,
    receivedAt: after(Math.floor(index / 4) * 1_000),
    runtime: index % 10 === 0 ? "nodejs" : "edge",
  }));
  const { read } = await openWith(rows);
  for (const [query, expected] of [
    [{}, rows],
    [{ runtime: "nodejs" }, rows.filter(({ runtime }) => runtime === "nodejs")],
  ] as const) {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await read({ ...query, limit: "7", ...(cursor === null ? {} : { cursor }) });
      seen.push(...page.deliveries.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen.toSorted()).toEqual(expected.map(({ id }) => deliveryUuid(id)).toSorted());
  }
});

test("a rare delivery is searched for in bounded steps", async () => {
  const { db } = await openWith(
    Array.from({ length: 150 }, (_, index) => ({
      id: `d_${index}`,
      receivedAt: after(index),
      region: index === 0 ? "rare" : "fra1",
    })),
  );
  let nowMs = 0;
  const slow = { monotonicMs: () => (nowMs += 300) };
  const pages: number[] = [];
  let cursor: string | null = null;
  do {
    const query = { region: "rare", limit: "5", ...(cursor === null ? {} : { cursor }) };
    const page = await readDeliveries(db, filter(query), slow);
    pages.push(page.deliveries.length);
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect([pages[0], pages.reduce((sum, found) => sum + found)]).toEqual([0, 1]);
});

test.each([
  ["outcome", "ok"],
  ["runtime", "node"],
  ["ackMsMin", "-1"],
  ["ackMsMin", "1e3"],
  ["cursor", "MTI"],
  ["deliveryId", "d_1"],
])("the parameter %s=%j is refused by name", (name, value) => {
  expect(() => filter({ [name]: value })).toThrow(
    expect.objectContaining({ code: "REQUEST_INVALID", message: expect.stringMatching(`^${name} `) as unknown }),
  );
});
