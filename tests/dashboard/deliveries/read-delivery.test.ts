import { expect, test } from "vitest";

import { journeySteps } from "#dashboard/deliveries/journey-steps.ts";
import { describeUnhandled } from "#dashboard/events/describe-handling.ts";
import { readDelivery } from "#dashboard/deliveries/read-delivery.ts";
import { deliveryUuid } from "#store/ingest/delivery-uuid.ts";
import { deliveries, deliveryAttempts, deliveryBatches } from "#store/schema/delivery-schema.ts";
import { handlerAttempts } from "#store/schema/event-schema.ts";

import { openTestStore } from "../../support/store.ts";
import {
  batchRow,
  type BatchRow,
  deliveryRow,
  type DeliveryRow,
  eventRow,
  ingested,
  insertEvents,
  insertOpenEvent,
  unreported,
} from "../rows.ts";

const receivedAt = new Date("2026-01-31T12:00:00.000Z");
const deliveredAt = new Date("2026-01-31T12:00:00.100Z");
const after = (ms: number) => new Date(receivedAt.getTime() + ms);
const arrived = ingested({ deliveredAt });
const options = { handlerRetries: 8, readNextDelivery: async () => undefined };
const id = deliveryUuid("d_1");

async function openWith(delivery: Partial<DeliveryRow>, later: Partial<BatchRow>[] = []) {
  const { db } = await openTestStore();
  await db.insert(deliveries).values(deliveryRow({ id: "d_1", receivedAt, ...delivery }));
  for (const batch of later)
    await db.insert(deliveryBatches).values(batchRow({ deliveryId: "d_1", deliveredAt, ...batch }));
  return { db, read: async () => (await readDelivery(db, "d_1", options)).journey };
}

async function journeyOf(delivery: Partial<DeliveryRow>, later: Partial<BatchRow>[] = []) {
  return (await openWith(delivery, later)).read();
}

test("a finished delivery knows every step", async () => {
  const journey = await journeyOf({ runtime: "nodejs", probe: true, ...arrived, inserted: 2, duplicates: 1 });
  expect(journey).toEqual({
    id,
    runtime: "nodejs",
    region: "fra1",
    deployment: "dpl_1",
    coldStart: false,
    probe: true,
    outcome: "published",
    via: "queue",
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
    attempts: [
      {
        at: "2026-01-31T12:00:00.100Z",
        ms: 9.5,
        batch: 0,
        retried: 0,
        status: 200,
        error: null,
        messageId: "msg_1",
        handled: 2,
        failed: 0,
      },
    ],
    handlers: [],
  });
});

test("only reported: the number of events is the report's, the rest is unknown", async () => {
  expect(await journeyOf({ events: 7 })).toMatchObject({
    outcome: "published",
    events: 7,
    inserted: null,
    duplicates: null,
    deliveredAt: null,
    ingestedAt: null,
    handledAt: null,
    attempts: [],
  });
});

test.each([
  ["queue", "published"],
  ["fallback", "fallback"],
])("only ingested, by the %s: it was %s, and the ack's time is known from the batch", async (via, outcome) => {
  const journey = await journeyOf({ ...unreported, ...arrived, via });
  expect(journey).toMatchObject({ outcome, events: 1, ackMs: 3, publishedAt: null });
});

test("while a batch is missing, nothing is called ingested", async () => {
  const missing = { inserted: null, deliveredAt: null, ingestedAt: null };
  expect(await journeyOf({ events: 9 }, [{ inserted: 4 }])).toMatchObject({ events: 9, ...missing });
  const first = { events: 9, ...arrived, batches: 2, handledAt: null };
  expect(await journeyOf(first)).toMatchObject({ events: 9, ...missing });
});

test("several batches add up: delivered with the first, ingested with the last", async () => {
  const later = after(1_100);
  const first = { ...arrived, batches: 2, inserted: 4, deliveredAt: after(200), handledAt: null };
  const journey = await journeyOf(first, [{ inserted: 1, duplicates: 2, deliveredAt, ingestedAt: later }]);
  expect(journey).toMatchObject({
    events: 7,
    inserted: 5,
    duplicates: 2,
    deliveredAt: deliveredAt.toISOString(),
    ingestedAt: later.toISOString(),
    handledAt: null,
  });
  expect(journey.attempts.map(({ batch, messageId }) => [batch, messageId])).toEqual([
    [1, "msg_2"],
    [0, "msg_1"],
  ]);
});

test("a lost delivery is shown as lost", async () => {
  const journey = await journeyOf({ outcome: "lost", publishedAt: null, errorType: "PUBLISH_TIMEOUT" });
  expect(journey).toMatchObject({ outcome: "lost", publishedAt: null, error: "PUBLISH_TIMEOUT" });
  expect(journeySteps(journey).find((step) => step.name === "Ingested")?.missing).toContain("lost");
});

test("a delivery that was reported as lost and is complete fell back", async () => {
  expect(await journeyOf({ outcome: "lost", ...arrived })).toMatchObject({ outcome: "fallback" });
  expect(await journeyOf({ outcome: "lost", ...arrived, batches: 2 })).toMatchObject({ outcome: "lost" });
});

test("a step's time counts from the last step that has a time", async () => {
  const steps = journeySteps(await journeyOf({ ...arrived, publishedAt: null }));
  expect(steps.map((step) => step.gapMs)).toEqual([null, 3, null, 97, 10, 5]);
  expect(steps.at(-1)?.sinceReceivedMs).toBe(115);
  expect(steps[2]?.missing).toBe("not reported");
});

test("every call to ingest it is listed in the order of time, failures and repeats too", async () => {
  const { db, read } = await openWith({ ...arrived, retried: 2, inserted: 2, handledAt: null });
  const attempt = { deliveryId: id, batchIndex: 0, messageId: "msg_1", ms: 7, errorCode: null };
  await db.insert(deliveryAttempts).values([
    { ...attempt, at: after(90), retried: 1, status: 503, errorCode: "OVERLOADED" },
    { ...attempt, at: after(9_000), retried: 3, status: 200 },
    { ...attempt, at: after(50), retried: 0, status: 503, errorCode: "STORE_UNAVAILABLE" },
    { ...attempt, at: after(50), deliveryId: deliveryUuid("other"), status: 500 },
  ]);
  await insertOpenEvent(db, eventRow({ key: "k1", deliveryId: "d_1", ingestedAt: receivedAt }), {
    firstFailedAt: receivedAt,
  });
  const { attempts } = await read();
  expect(
    attempts.map(({ retried, status, error, handled, failed }) => [retried, status, error, handled, failed]),
  ).toEqual([
    [0, 503, "STORE_UNAVAILABLE", null, null],
    [1, 503, "OVERLOADED", null, null],
    [2, 200, null, 1, 1],
    [3, 200, null, null, null],
  ]);
});

test("the handlers of its events say which attempt is next, and how each call ended", async () => {
  const { db, read } = await openWith({ ...arrived, inserted: 3, handledAt: null });
  const row = (key: string) => eventRow({ key, deliveryId: "d_1", ingestedAt: receivedAt });
  const [, late = 0] = await insertEvents(db, [row("at once"), row("late")]);
  const retried = await insertOpenEvent(db, row("retried"), {
    attempts: 3,
    firstFailedAt: receivedAt,
    nextAttemptAt: after(60_000),
  });
  // Within its range of ids, but of another delivery.
  await insertOpenEvent(db, eventRow({ key: "other", deliveryId: "d_2", ingestedAt: receivedAt }));
  await insertEvents(db, [row("last")]);
  const call = { ms: 5, attempt: 1, deployment: "dpl_1" };
  const failed = {
    ...call,
    errorName: "TypeError",
    errorCode: "E_CRM",
    errorMessage: "shown",
    frames: ["save (crm.ts)"],
  };
  await db.insert(handlerAttempts).values([
    { ...call, eventId: late, at: after(2_000), attempt: 2, replayId: "rp_1" },
    { ...failed, eventId: late, at: after(1_000) },
    { ...failed, eventId: retried, at: after(3_000), attempt: 3 },
  ]);
  const failure = {
    error: "TypeError",
    code: "E_CRM",
    message: "shown",
    frames: ["save (crm.ts)"],
    ms: 5,
    deployment: "dpl_1",
    replay: null,
  };
  const { handlers } = await read();
  expect(describeUnhandled(handlers, after(0).getTime())).toBe(`event ${retried}: retry 3 of 8, next in 1 min`);
  const dead = handlers.map((handling) => ({ ...handling, state: "dead" as const }));
  expect(describeUnhandled(dead, 0)).toBe("not all: some of its events are dead");
  expect(describeUnhandled([], 0)).toBeUndefined();
  expect(handlers).toEqual([
    {
      eventId: retried,
      kind: "message",
      state: "retrying",
      attempt: 3,
      of: 9,
      nextAttemptAt: after(60_000).toISOString(),
      calls: [{ ...failure, at: after(3_000).toISOString(), attempt: 3 }],
    },
    {
      eventId: late,
      kind: "message",
      state: "handled",
      attempt: 2,
      of: 9,
      nextAttemptAt: null,
      calls: [
        { ...failure, at: after(1_000).toISOString(), attempt: 1 },
        {
          at: after(2_000).toISOString(),
          ms: 5,
          attempt: 2,
          error: null,
          code: null,
          message: null,
          frames: [],
          deployment: "dpl_1",
          replay: "rp_1",
        },
      ],
    },
  ]);
});

test("while a batch is not ingested QStash is asked when it tries again, by the ids that are known", async () => {
  const nextDeliveryAt = after(60_000).toISOString();
  const asked: (readonly string[])[] = [];
  const asking = {
    ...options,
    readNextDelivery: async (messageIds: readonly string[]) => {
      asked.push(messageIds);
      return nextDeliveryAt;
    },
  };
  const reported = await openWith({ messageIds: ["msg_1", "msg_2"] });
  expect((await readDelivery(reported.db, "d_1", asking)).journey.nextDeliveryAt).toBe(nextDeliveryAt);
  const tried = await openWith({ ...unreported });
  const attempt = { deliveryId: id, at: after(50), ms: 1, status: 503, messageId: "msg_3" };
  await tried.db.insert(deliveryAttempts).values([attempt, { ...attempt, at: after(90) }]);
  await readDelivery(tried.db, "d_1", asking);
  expect(asked).toEqual([["msg_1", "msg_2"], ["msg_3"]]);
  const done = await openWith({ ...arrived, messageIds: ["msg_1"] });
  expect((await readDelivery(done.db, "d_1", asking)).journey).not.toHaveProperty("nextDeliveryAt");
  expect(asked).toHaveLength(2);
});

test.each(["nope", "a\0b", "x".repeat(5_000)])("an unknown id is not found", async (unknown) => {
  const { db } = await openTestStore();
  await expect(readDelivery(db, unknown, options)).rejects.toMatchObject({ code: "NOT_FOUND", status: 404 });
});

test("a delivery that could not be ingested yet is not found, but how the last attempt ended is said", async () => {
  const { db } = await openTestStore();
  const attempt = { deliveryId: id, ms: 1, status: 503, errorCode: "OVERLOADED" };
  await db.insert(deliveryAttempts).values([
    { ...attempt, at: receivedAt },
    { ...attempt, at: deliveredAt },
  ]);
  await expect(readDelivery(db, "d_1", options)).rejects.toMatchObject({
    code: "NOT_FOUND",
    message:
      "No such delivery is stored yet; of 2 attempts to ingest it, the last was answered with 503 OVERLOADED at 2026-01-31T12:00:00.100Z",
  });
});
