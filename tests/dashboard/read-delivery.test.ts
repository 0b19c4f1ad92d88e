import { expect, test } from "vitest";

import { journeySteps } from "#dashboard/journey-steps.ts";
import { readDelivery, readDeliveryRuntimes } from "#dashboard/read-delivery.ts";
import { deliveries, deliveryBatches } from "#store/schema.ts";

import { openTestStore } from "../support/store.ts";
import { batchRow, deliveryRow, type BatchRow, type DeliveryRow } from "./rows.ts";

const receivedAt = new Date("2026-01-31T12:00:00.000Z");
const deliveredAt = new Date("2026-01-31T12:00:00.100Z");
const unreported = { events: null, outcome: null, ackMs: null, publishMs: null, publishedAt: null, attempts: null };

async function journeyOf(delivery: Partial<DeliveryRow>, batches: Partial<BatchRow>[]) {
  const { db } = await openTestStore();
  await db.insert(deliveries).values(deliveryRow({ id: "d_1", receivedAt, ...delivery }));
  for (const batch of batches)
    await db.insert(deliveryBatches).values(batchRow({ deliveryId: "d_1", deliveredAt, ...batch }));
  return (await readDelivery(db, "d_1")).journey;
}

test("a finished delivery knows every step", async () => {
  const journey = await journeyOf({ runtime: "nodejs", probe: true }, [{ inserted: 2, duplicates: 1 }]);
  expect(journey).toEqual({
    id: "d_1",
    runtime: "nodejs",
    probe: true,
    outcome: "published",
    events: 3,
    inserted: 2,
    duplicates: 1,
    receivedAt: "2026-01-31T12:00:00.000Z",
    ackMs: 3,
    publishedAt: "2026-01-31T12:00:00.040Z",
    deliveredAt: "2026-01-31T12:00:00.100Z",
    ingestedAt: "2026-01-31T12:00:00.110Z",
    handledAt: "2026-01-31T12:00:00.115Z",
    error: null,
  });
});

test("only reported: the number of events is the report's, the rest is unknown", async () => {
  expect(await journeyOf({ events: 7 }, [])).toMatchObject({
    outcome: "published",
    events: 7,
    inserted: null,
    duplicates: null,
    deliveredAt: null,
    ingestedAt: null,
    handledAt: null,
  });
});

test("only ingested: it was published, with or without a report", async () => {
  expect(await journeyOf(unreported, [{}])).toMatchObject({
    outcome: "published",
    events: 1,
    ackMs: null,
    publishedAt: null,
  });
});

test("while a batch is missing, nothing is called ingested", async () => {
  expect(await journeyOf({ events: 9 }, [{ batchIndex: 1, batches: 2, inserted: 4 }])).toMatchObject({
    events: 9,
    inserted: null,
    deliveredAt: null,
    ingestedAt: null,
    handledAt: null,
  });
});

test("several batches add up: delivered with the first, ingested and handled with the last", async () => {
  const later = new Date(deliveredAt.getTime() + 1_000);
  const batches = [
    { batches: 2, inserted: 4 },
    { batchIndex: 1, batches: 2, inserted: 1, duplicates: 2, deliveredAt: later, ingestedAt: later, handledAt: null },
  ];
  expect(await journeyOf({}, batches)).toMatchObject({
    events: 7,
    inserted: 5,
    duplicates: 2,
    deliveredAt: deliveredAt.toISOString(),
    ingestedAt: later.toISOString(),
    handledAt: null,
  });
});

test("a lost delivery is shown as lost", async () => {
  const lost = { outcome: "lost" as const, publishedAt: null, errorType: "PUBLISH_TIMEOUT" };
  const journey = await journeyOf(lost, []);
  expect(journey).toMatchObject({ outcome: "lost", publishedAt: null, error: "PUBLISH_TIMEOUT" });
  expect(journeySteps(journey).find((step) => step.name === "Ingested")?.missing).toContain("lost");
});

test("a delivery that was reported as lost and is complete fell back", async () => {
  expect(await journeyOf({ outcome: "lost" }, [{}])).toMatchObject({ outcome: "fallback" });
  expect(await journeyOf({ outcome: "lost" }, [{ batches: 2 }])).toMatchObject({ outcome: "lost" });
});

test("a step's time counts from the last step that has a time", async () => {
  const steps = journeySteps(await journeyOf({ publishedAt: null }, [{}]));
  expect(steps.map((step) => step.gapMs)).toEqual([null, 3, null, 97, 10, 5]);
  expect(steps.at(-1)?.sinceReceivedMs).toBe(115);
});

test.each(["nope", "a\0b", "x".repeat(5_000)])("an unknown id is not found", async (id) => {
  const { db } = await openTestStore();
  await expect(readDelivery(db, id)).rejects.toMatchObject({ code: "NOT_FOUND", status: 404 });
});

test("the runtimes of several deliveries", async () => {
  const { db } = await openTestStore();
  await db
    .insert(deliveries)
    .values([deliveryRow({ id: "d_1", receivedAt }), deliveryRow({ id: "d_2", receivedAt, runtime: "nodejs" })]);
  expect(await readDeliveryRuntimes(db, ["d_2", "d_1", "d_2", "d_3"])).toEqual(
    new Map([
      ["d_1", "edge"],
      ["d_2", "nodejs"],
    ]),
  );
  expect(await readDeliveryRuntimes(db, [])).toEqual(new Map());
});
