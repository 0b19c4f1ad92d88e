import { expect, test } from "vitest";

import { readDeliveryPage } from "#dashboard/deliveries/read-delivery-page.ts";
import { answerPayload } from "#dashboard/events/answer-payload.ts";
import { readEvent } from "#dashboard/events/read-event.ts";
import { readFailingKinds } from "#dashboard/handlers/read-failing-kinds.ts";
import { systemClock } from "#platform/clock.ts";
import { deliveryUuid } from "#store/ingest/delivery-uuid.ts";
import { deliveries, deliveryAttempts, deliveryBatches } from "#store/schema/delivery-schema.ts";
import { handlerAttempts } from "#store/schema/event-schema.ts";
import { deadLetterGroups, deadLetters } from "#store/schema/operations-schema.ts";

import { openTestStore } from "../../support/store.ts";
import { batchRow, deliveryRow, eventRow, ingested, insertEvents, insertOpenEvent, linkDuplicate } from "../rows.ts";

const receivedAt = new Date("2026-11-20T12:00:00.000Z");
const after = (ms: number) => new Date(receivedAt.getTime() + ms);
const options = { handlerRetries: 8 };

async function openWithDelivery() {
  const { db } = await openTestStore();
  const first = ingested({ deliveredAt: after(100), handledAt: null, batches: 2 });
  await db.insert(deliveries).values(deliveryRow({ id: "d_1", receivedAt, ...first }));
  await db.insert(deliveryBatches).values(batchRow({ deliveryId: "d_1", deliveredAt: after(500) }));
  return db;
}

test("an event has the times of its own batch, every attempt, and the calls of its handler", async () => {
  const db = await openWithDelivery();
  const common = { deliveryId: deliveryUuid("d_1"), ms: 5, retried: 0, errorCode: "STORE_UNAVAILABLE", status: 503 };
  await db.insert(deliveryAttempts).values([
    { ...common, at: after(300), batchIndex: 1, messageId: "msg_2" },
    { ...common, at: after(50), batchIndex: 0, messageId: "msg_1" },
  ]);
  const row = eventRow({ key: "k_1", deliveryId: "d_1", batchIndex: 1, ingestedAt: after(510) });
  const id = await insertOpenEvent(db, row, {
    attempts: 2,
    firstFailedAt: after(520),
    errorName: "TypeError",
    nextAttemptAt: after(9_000),
  });
  const call = {
    eventId: id,
    ms: 7,
    errorName: "TypeError",
    frames: ["save (handlers/message.ts)"],
    deployment: "dpl_2",
  };
  await db.insert(handlerAttempts).values([
    { ...call, at: after(520), attempt: 1 },
    { ...call, at: after(600), attempt: 2, replayId: "rp_1" },
  ]);
  const { delivery, batch, attempts, calls, event, of, surroundings } = await readEvent(db, id, options);
  expect([event.state, event.attempts, of, event.nextAttemptAt]).toEqual([
    "retrying",
    2,
    9,
    after(9_000).toISOString(),
  ]);
  expect([batch, delivery?.deliveredAt, delivery?.ingestedAt]).toEqual([
    1,
    after(500).toISOString(),
    after(510).toISOString(),
  ]);
  expect(attempts.map(({ status, messageId }) => [status, messageId])).toEqual([
    [503, "msg_2"],
    [200, "msg_2"],
  ]);
  expect(calls).toMatchObject([
    { attempt: 1, error: "TypeError", frames: call.frames, deployment: "dpl_2", replay: null },
    { attempt: 2, replay: "rp_1" },
  ]);
  expect(surroundings.replays).toEqual(["rp_1"]);
  expect(await readFailingKinds(db)).toEqual([
    {
      kind: "message",
      error: "TypeError",
      code: null,
      events: 1,
      dead: 0,
      since: after(520).toISOString(),
      deployment: "dpl_2",
      frame: "save (handlers/message.ts)",
      firstEventId: id,
    },
  ]);
});

test("an event leads to its conversation, its dead letters and what carried it again, and is compared with the last good one", async () => {
  const db = await openWithDelivery();
  const row = (key: string, more: object = {}) => eventRow({ key, deliveryId: "d_1", ingestedAt: after(200), ...more });
  const outbound = { kind: "message.echo", senderId: "17841400000000001", recipientId: "6001" };
  const [before, , good] = await insertEvents(db, [
    row("k_before", outbound),
    row("k_other", { senderId: "6002" }),
    row("k_good", { senderId: "6002", data: '{"message":{"mid":"1"}}' }),
    row("k_drifted", { senderId: "6002", drifted: true }),
  ]);
  const id = await insertOpenEvent(db, row("k_dead"), {
    state: "dead",
    firstFailedAt: after(300),
    errorName: "TypeError",
  });
  const [next] = await insertEvents(db, [row("k_next")]);
  await linkDuplicate(db, "d_2", id);
  const group = { cause: "handler", fingerprint: "f", firstAt: after(300), firstDeployment: null };
  const [{ id: groupId } = { id: 0 }] = await db
    .insert(deadLetterGroups)
    .values(group)
    .returning({ id: deadLetterGroups.id });
  await db
    .insert(deadLetters)
    .values({ source: "handler", sourceId: String(id), groupId, eventId: id, recordedAt: after(300) });
  const { surroundings, lastGood } = await readEvent(db, id, options);
  expect(surroundings).toMatchObject({
    person: "6001",
    previousId: before,
    nextId: next,
    repeatedBy: [{ id: deliveryUuid("d_2"), receivedAt: null }],
    deadLetters: [{ groupId, resolvedAt: null }],
  });
  expect(lastGood).toEqual({ id: good, payload: '{"message":{"mid":"1"}}' });
  expect((await readEvent(db, good ?? 0, options)).lastGood).toBeNull();
});

test("the payload is answered as it is stored, and an event that is not stored with a reason", async () => {
  const db = await openWithDelivery();
  const data = '{"a":1.0, "a":2,"id":"17841400000000001234"}';
  const [id = 0] = await insertEvents(db, [eventRow({ key: "k", deliveryId: "d_1", ingestedAt: after(200), data })]);
  expect(await (await answerPayload(db, id)).text()).toBe(data);
  await expect(readEvent(db, id + 1, options)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("a delivery of five thousand attempts is shown two hundred at a time", async () => {
  const db = await openWithDelivery();
  const common = { deliveryId: deliveryUuid("d_1"), ms: 5, batchIndex: 0, status: 503, errorCode: "OVERLOADED" };
  const rows = Array.from({ length: 5_000 }, (_, retried) => ({ ...common, at: after(1_000 + retried), retried }));
  await db.insert(deliveryAttempts).values(rows);
  const read = (attempts: number) =>
    readDeliveryPage(db, "d_1", {
      attempts,
      events: "",
      showsText: false,
      clock: systemClock,
      handlerRetries: 8,
      readNextDelivery: async () => undefined,
    });
  const [first, last] = [await read(0), await read(4_900)];
  expect([first.attempts.length, last.attempts.length]).toEqual([200, 102]);
  expect(last.attempts.at(-1)).toMatchObject({ retried: 4_999 });
});
