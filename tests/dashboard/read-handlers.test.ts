import { expect, test } from "vitest";

import { parseHandlerWindow, readHandlers } from "#dashboard/read-handlers.ts";
import { deliveries } from "#store/delivery-schema.ts";
import { handlerAttempts } from "#store/event-schema.ts";

import { openTestStore } from "../support/store.ts";
import { deliveryRow, eventRow, ingested, insertEvents, insertOpenEvent } from "./rows.ts";

const now = new Date("2026-01-31T12:00:00.000Z");
const before = (minutes: number) => new Date(now.getTime() - minutes * 60_000);

test("handlers are summed by kind: runs, failures by error, retries, times, and what is open", async () => {
  const { db } = await openTestStore();
  const at = before(10);
  const event = (key: string, rest: object = {}) => eventRow({ key, deliveryId: "d_1", ingestedAt: at, ...rest });
  await db
    .insert(deliveries)
    .values([
      deliveryRow({ id: "d_1", receivedAt: at, ...ingested({ deliveredAt: at, inserted: 9 }) }),
      deliveryRow({ id: "alone", receivedAt: at, ...ingested({ deliveredAt: at, handlerMs: 40 }) }),
    ]);
  const [retried = 0] = await insertEvents(db, [
    event("retried"),
    event("at once"),
    event("alone", { deliveryId: "alone" }),
    event("comment", { kind: "comment" }),
    event("erased", { erasedAt: now }),
    event("before the window", { ingestedAt: before(90) }),
  ]);
  const waits = await insertOpenEvent(db, event("waits", { ingestedAt: before(80) }), {
    firstFailedAt: at,
    attempts: 2,
  });
  await insertOpenEvent(db, event("dead", { kind: "read" }), { state: "dead" });
  await insertOpenEvent(db, event("new", { kind: "reaction" }));
  const call = { at, attempt: 1, ms: 10, errorName: "TypeError" };
  await db.insert(handlerAttempts).values([
    { ...call, eventId: retried },
    { ...call, eventId: retried, attempt: 2, ms: 20, errorName: null },
    { ...call, eventId: waits, at: before(70) },
    { ...call, eventId: waits, attempt: 2, ms: 30, errorName: "HandlerTimeout" },
  ]);
  expect(await readHandlers(db, "1h", now.getTime())).toEqual({
    window: { from: before(60).toISOString(), to: now.toISOString() },
    handlers: [
      {
        kind: "message",
        runs: 5,
        failed: 2,
        failures: { TypeError: 1, HandlerTimeout: 1 },
        retries: 2,
        handlerMs: { count: 4, p50: 25, p95: expect.closeTo(38.5) },
        open: 1,
        oldestOpenAt: before(80).toISOString(),
      },
      { kind: "comment", runs: 1, failed: 0, failures: {}, retries: 0, handlerMs: null, open: 0, oldestOpenAt: null },
      {
        kind: "reaction",
        runs: 0,
        failed: 0,
        failures: {},
        retries: 0,
        handlerMs: null,
        open: 1,
        oldestOpenAt: at.toISOString(),
      },
    ],
  });
});

test("the window is one of the comparison's", () => {
  expect(parseHandlerWindow(new URLSearchParams())).toBe("1h");
  expect(() => parseHandlerWindow(new URLSearchParams({ window: "2h" }))).toThrow(/^window must be one of/);
});
