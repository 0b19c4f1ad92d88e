import { expect, test } from "vitest";

import { parseHandlerWindow, readHandlers } from "#dashboard/handlers/read-handlers.ts";
import { rollUp } from "#operations/roll-up.ts";
import { systemClock } from "#platform/clock.ts";
import type { HandlerResult, LeasedEvent } from "#store/handling/leased-event.ts";
import { settleEvents } from "#store/handling/settle-events.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";

import { settlement, testFailure } from "../../support/settle.ts";
import { openTestStore, testBatch, testEvent, toStore } from "../../support/store.ts";
import { eventRow, insertOpenEvent } from "../rows.ts";

test("handlers are summed by kind: runs, failures by error, retries, times, and what is open", async () => {
  const { db } = await openTestStore();
  const nowMs = Date.now();
  const store = async (id: string, ...kinds: ("message" | "comment")[]) => {
    const events = kinds.map((kind, index) => testEvent(`${id} ${index}`, { kind }));
    return (await storeBatch(db, toStore(testBatch(id, events), nowMs))).leased;
  };
  const settle = async (leased: readonly LeasedEvent[], result: Partial<HandlerResult>) =>
    settleEvents(
      db,
      settlement(leased.map((event) => ({ event, atMs: nowMs, ms: 10, outcome: "handled" as const, ...result }))),
    );
  const failed = { outcome: "failed", error: testFailure, retryInMs: 0 } as const;

  await settle(await store("at once", "message", "message", "comment"), { ms: 40 });
  const first = await store("retried", "message");
  await settle(first, { ...failed, ms: 10 });
  const again = await store("retried", "message");
  expect(again).toMatchObject([{ attempt: 2 }]);
  await settle(again, { ms: 20 });
  await settle(await store("given back", "message"), { outcome: "released" });
  await settle(await store("other error", "message"), {
    ...failed,
    error: { ...testFailure, name: "HandlerTimeout" },
    ms: 30,
  });
  const at = new Date(nowMs - 80 * 60_000);
  await insertOpenEvent(db, eventRow({ key: "old", deliveryId: "old", ingestedAt: at, kind: "reaction" }));

  const read = () => readHandlers(db, "1h", { nowMs: Date.now(), rollUp: async () => {} });
  const { window, handlers } = await read();
  expect(Date.parse(window.to) - Date.parse(window.from)).toBeGreaterThanOrEqual(60 * 60_000);
  expect(handlers).toEqual([
    {
      kind: "message",
      runs: 5,
      failed: 2,
      failures: { CrmError: 1, HandlerTimeout: 1 },
      retries: 1,
      handlerMs: { count: 5, p50: expect.closeTo(30, 0), p95: 40 },
      open: 2,
      oldestOpenAt: expect.any(String) as string,
      oldestOpenId: expect.any(Number) as number,
    },
    {
      kind: "comment",
      runs: 1,
      failed: 0,
      failures: {},
      retries: 0,
      handlerMs: { count: 1, p50: 40, p95: 40 },
      open: 0,
      oldestOpenAt: null,
      oldestOpenId: null,
    },
    {
      kind: "reaction",
      runs: 0,
      failed: 0,
      failures: {},
      retries: 0,
      handlerMs: null,
      open: 1,
      oldestOpenAt: at.toISOString(),
      oldestOpenId: expect.any(Number) as number,
    },
  ]);
  await rollUp(db, systemClock, Infinity);
  expect((await read()).handlers).toEqual(handlers);
});

test("the window is one of the comparison's", () => {
  expect(parseHandlerWindow(new URLSearchParams())).toBe("1h");
  expect(() => parseHandlerWindow(new URLSearchParams({ window: "2h" }))).toThrow(/^window must be one of/);
});
