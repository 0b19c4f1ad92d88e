import { asc, eq, isNotNull } from "drizzle-orm";
import { describe, expect, test } from "vitest";

import type { Handler } from "#handlers/handler.ts";
import { ingest } from "#ingestion/ingest.ts";
import { type Clock, systemClock } from "#platform/clock.ts";
import { type Database, openDatabase } from "#store/database.ts";
import { claimEvents } from "#store/event-leases.ts";
import { deliveries, deliveryBatches, deliveryEvents, events, handlerCounts } from "#store/schema.ts";
import { storeBatch } from "#store/store-batch.ts";
import { noTrace } from "#tracing/trace.ts";

import { eventually } from "../support/eventually.ts";
import { createHandlers } from "../support/handlers.ts";
import { advanceUntilSettled, createManualClock } from "../support/manual-clock.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore, testBatch, testEvent, toStore } from "../support/store.ts";

function optionsFor(db: Database, message: Handler = () => {}) {
  const handlers = createHandlers(undefined, { message });
  const recording = createRecordingLog();
  return { db, handlers, handlerTimeoutMs: 5_000, clock: systemClock, log: recording.log, trace: noTrace, recording };
}

const storedKeys = async (db: Database) =>
  (await db.select({ key: events.key }).from(events).orderBy(asc(events.key))).map(({ key }) => key);

describe("ingest()", () => {
  test("stores each event once, however often and in whatever batch it comes", async () => {
    const { db } = await openTestStore();
    const options = optionsFor(db);
    const first = testBatch("d1", [testEvent("a"), testEvent("b"), testEvent("a")]);
    expect(await ingest(first, options)).toEqual({ inserted: 2, duplicates: 1 });
    expect(await ingest(first, options)).toEqual({ inserted: 0, duplicates: 3 });
    expect(await ingest(testBatch("d2", [testEvent("b"), testEvent("c")]), options)).toEqual({
      inserted: 1,
      duplicates: 1,
    });
    expect(await storedKeys(db)).toEqual(["message:1:a", "message:1:b", "message:1:c"]);
  });

  test("a redelivery does not change the counts of the first delivery", async () => {
    const { db } = await openTestStore();
    const options = optionsFor(db);
    await ingest(testBatch("d1", [testEvent("a")]), options);
    await ingest(testBatch("d1", [testEvent("a")]), options);
    const batches = await db.select().from(deliveryBatches).where(eq(deliveryBatches.deliveryId, "d1"));
    expect(batches).toMatchObject([{ batchIndex: 0, batches: 1, inserted: 1, duplicates: 0 }]);
    expect(batches[0]?.handledAt).toBeInstanceOf(Date);
  });

  test("links a delivery to events that an earlier one brought", async () => {
    const { db } = await openTestStore();
    await ingest(testBatch("d1", [testEvent("a")]), optionsFor(db));
    await ingest(testBatch("d2", [testEvent("a")]), optionsFor(db));
    const links = await db
      .select({ id: deliveryEvents.deliveryId })
      .from(deliveryEvents)
      .orderBy(asc(deliveryEvents.deliveryId));
    expect(links).toEqual([{ id: "d1" }, { id: "d2" }]);
  });

  test("a delivery that is repeated many times adds only a few links, but each repeat adds its counts", async () => {
    const { db } = await openTestStore();
    const mids = ["a", "b", "c"];
    for (let repeat = 0; repeat < 20; repeat += 1) {
      const again = mids.map((mid) => testEvent(mid));
      expect(await ingest(testBatch(`d${repeat}`, again), optionsFor(db))).toEqual(
        repeat === 0 ? { inserted: 3, duplicates: 0 } : { inserted: 0, duplicates: 3 },
      );
    }
    expect(await db.$count(deliveryEvents)).toBe(5 * mids.length);
    expect(await db.$count(deliveries)).toBe(20);
    // What is new in a repeat is linked as ever.
    await ingest(testBatch("d20", [testEvent("a"), testEvent("new")]), optionsFor(db));
    expect(await db.$count(deliveryEvents, eq(deliveryEvents.deliveryId, "d20"))).toBe(1);
  });

  test("stores the delivery of an empty batch", async () => {
    const { db } = await openTestStore();
    expect(await ingest(testBatch("d1", []), optionsFor(db))).toEqual({ inserted: 0, duplicates: 0 });
    expect(await db.select({ id: deliveries.id }).from(deliveries)).toEqual([{ id: "d1" }]);
  });

  test("keeps data letter for letter, also NUL and lone surrogates", async () => {
    const { db, pool } = await openTestStore();
    const data = {
      nul: "a\0b",
      half: "\ud83d",
      astral: "🚀",
      slash: "\\/",
      big: "12345678901234567890",
      deep: [[[{}]]],
      n: 1.5,
    };
    const odd = testEvent("a", {
      data,
      accountId: "x\0y",
      senderId: "\ud83d".repeat(500),
      recipientId: "z".repeat(10_000),
    });
    await ingest(testBatch("d1", [odd]), optionsFor(db));
    const { rows } = await pool.query<{ text: string }>("select data::text as text from events");
    expect(JSON.parse(rows[0]?.text ?? "")).toEqual(data);
  });

  test("twenty batches at once, with common events in any order, neither deadlock nor store an event twice", async () => {
    const { db } = await openTestStore();
    const mids = Array.from({ length: 40 }, (_, index) => `m${String(index).padStart(2, "0")}`);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const turned = [...mids.slice(index), ...mids.slice(0, index)];
        const ordered = index % 2 === 0 ? turned : turned.toReversed();
        return ingest(
          testBatch(
            `d${index}`,
            ordered.map((mid) => testEvent(mid)),
          ),
          optionsFor(db),
        );
      }),
    );
    expect(results.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(40);
    expect(results.every(({ inserted, duplicates }) => inserted + duplicates === 40)).toBe(true);
    expect(await storedKeys(db)).toHaveLength(40);
  });

  test("throws STORE_UNAVAILABLE while the database is down, so that QStash delivers again", async () => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    await expect(ingest(testBatch("d1", [testEvent("a")]), optionsFor(db))).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      status: 503,
    });
    await close();
  });

  test("logs no customer's words", async () => {
    const { db } = await openTestStore();
    const options = optionsFor(db, () => {
      throw new Error("the customer's words");
    });
    await expect(ingest(testBatch("d1", [testEvent("a")]), options)).rejects.toMatchObject({ code: "HANDLER_FAILED" });
    expect(options.recording.of("handler.failed")).toHaveLength(1);
    expect(JSON.stringify(options.recording.lines)).not.toContain("customer");
  });
});

describe("handlers", () => {
  test("get each event once, in the order of the delivery, with its facts", async () => {
    const { db } = await openTestStore();
    const seen: unknown[] = [];
    const options = optionsFor(db, (event, { attempt, deliveryId }) => {
      seen.push({ ...event, id: 0, attempt, deliveryId });
    });
    const batch = testBatch("d1", [testEvent("z"), testEvent("a")]);
    await ingest(batch, options);
    await ingest(batch, options);
    await ingest(testBatch("d2", [testEvent("a")]), options);
    expect(seen.map((event) => (event as { key: string }).key)).toEqual(["message:1:z", "message:1:a"]);
    expect(seen[0]).toEqual({
      id: 0,
      key: "message:1:z",
      kind: "message",
      accountId: "1",
      senderId: "user",
      recipientId: "1",
      occurredAt: new Date(1_700_000_000_000),
      sentAt: new Date(1_700_000_000_500),
      standby: false,
      test: false,
      drifted: false,
      data: testEvent("z").data,
      attempt: 1,
      deliveryId: "d1",
    });
  });

  test("that fail are called again for the failed events only", async () => {
    const { db } = await openTestStore();
    const seen: string[] = [];
    let broken = true;
    const options = optionsFor(db, (event, { attempt, count }) => {
      seen.push(`${event.key} ${attempt}`);
      count("tried");
      if (broken && event.key.endsWith("b")) throw new TypeError("no");
    });
    const batch = testBatch("d1", [testEvent("a"), testEvent("b"), testEvent("c")]);
    await expect(ingest(batch, options)).rejects.toMatchObject({ code: "HANDLER_FAILED", status: 500 });
    expect(await storedKeys(db)).toHaveLength(3);
    const [failed] = await db.select().from(events).where(eq(events.key, "message:1:b"));
    expect(failed).toMatchObject({ handledAt: null, handlerError: "TypeError", handlerAttempts: 1 });

    broken = false;
    expect(await ingest(batch, options)).toEqual({ inserted: 0, duplicates: 3 });
    expect(seen).toEqual(["message:1:a 1", "message:1:b 1", "message:1:c 1", "message:1:b 2"]);
    // What the failed attempt counted does not count.
    expect(await db.select().from(handlerCounts)).toEqual([{ name: "tried", count: 3 }]);
    const [handled] = await db.select().from(events).where(eq(events.key, "message:1:b"));
    expect(handled).toMatchObject({ handlerError: null, handlerAttempts: 2 });
    expect(handled?.handledAt).toBeInstanceOf(Date);
  });

  test("that never end are given up, and their signal aborts", async () => {
    const { db } = await openTestStore();
    const clock = createManualClock();
    let started: () => void = () => {};
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const aborted: boolean[] = [];
    const options = optionsFor(db, (_event, { signal }) => {
      started();
      signal.addEventListener("abort", () => aborted.push(signal.aborted));
      return new Promise(() => {});
    });
    const ingested = ingest(testBatch("d1", [testEvent("a")]), { ...options, clock });
    await running;
    await Promise.all([expect(ingested).rejects.toMatchObject({ code: "HANDLER_FAILED" }), clock.advance(5_000)]);
    expect(aborted).toEqual([true]);
  });

  test("of two simultaneous deliveries of one event run once, and the other delivery waits for a moment", async () => {
    const { db } = await openTestStore();
    const gate = createGate();
    let runs = 0;
    const options = optionsFor(db, async () => {
      runs += 1;
      await gate.opened;
    });
    const first = ingest(testBatch("d1", [testEvent("a")]), options);
    await eventually("the first delivery runs the handler", () => runs === 1);
    const clock = createManualClock();
    const waits = countTimers(clock);
    const second = ingest(testBatch("d2", [testEvent("a")]), { ...options, clock: waits.clock });
    // It has found the event taken and looks again after a while.
    await eventually("the second delivery sets a timer", () => waits.count() === 1);
    gate.open();
    expect(await first).toEqual({ inserted: 1, duplicates: 0 });
    await clock.advance(50);
    expect(await second).toEqual({ inserted: 0, duplicates: 1 });
    expect(runs).toBe(1);
  });

  test("that another delivery is still running are left to it and to QStash's next attempt", async () => {
    const { db } = await openTestStore();
    const gate = createGate();
    const options = optionsFor(db, () => gate.opened);
    const first = ingest(testBatch("d1", [testEvent("a")]), options);
    await eventually("the first delivery leases the event", async () => (await leased(db)) === 1);
    const clock = createManualClock();
    const second = ingest(testBatch("d2", [testEvent("a")]), { ...options, clock });
    await Promise.all([
      expect(second).rejects.toMatchObject({ code: "HANDLERS_UNFINISHED", status: 503 }),
      advanceUntilSettled(clock, second, 100),
    ]);
    gate.open();
    await first;
  });

  test("of a process that died run again after its lease", async () => {
    const { db } = await openTestStore();
    const clock = createManualClock();
    const seen: string[] = [];
    const options = { ...optionsFor(db, ({ key }) => void seen.push(key)), clock };
    await storeOnly(db, clock, "a");
    const ids = (await db.select({ id: events.id }).from(events)).map(({ id }) => id);
    await claimEvents(db, ids, { nowMs: clock.nowMs(), leaseUntilMs: clock.nowMs() + 6_500 });
    await clock.advance(6_500);
    expect(await ingest(testBatch("d1", [testEvent("a")]), options)).toEqual({ inserted: 0, duplicates: 1 });
    expect(seen).toEqual(["message:1:a"]);
  });

  test("that did not start in time are started by the next delivery, and the others are not repeated", async () => {
    const { db } = await openTestStore();
    const clock = createManualClock();
    const seen: string[] = [];
    const options = {
      ...optionsFor(db, async ({ key }) => {
        seen.push(key);
        await clock.advance(20_000);
      }),
      handlerTimeoutMs: 60_000,
      clock,
    };
    const batch = testBatch(
      "d1",
      ["a", "b", "c", "d"].map((mid) => testEvent(mid)),
    );
    await expect(ingest(batch, options)).rejects.toMatchObject({ code: "HANDLERS_UNFINISHED" });
    expect(seen).toEqual(["message:1:a", "message:1:b", "message:1:c"]);
    expect(await leased(db)).toBe(0);
    expect(await ingest(batch, options)).toEqual({ inserted: 0, duplicates: 4 });
    expect(seen).toEqual(["message:1:a", "message:1:b", "message:1:c", "message:1:d"]);
  });

  test("that are slow hold no connection: thirty at once do not delay another delivery", async () => {
    const { db } = await openTestStore();
    const gate = createGate();
    const slow = optionsFor(db, () => gate.opened);
    const waiting = Array.from({ length: 30 }, (_, index) =>
      ingest(testBatch(`slow${index}`, [testEvent(`slow${index}`)]), slow),
    );
    await eventually("all thirty slow deliveries hold a lease", async () => (await leased(db)) === 30);
    expect(await ingest(testBatch("quick", [testEvent("quick")]), optionsFor(db))).toMatchObject({ inserted: 1 });
    gate.open();
    await Promise.all(waiting);
  });

  test.each([
    ["a fraction", "x", 0.5],
    ["a NUL in the name", "a\0b", 1],
    ["a name without end", "x".repeat(101), 1],
  ])("that count %s fail alone", async (_name, counter, by) => {
    const { db } = await openTestStore();
    const options = optionsFor(db, ({ key }, { count }) => {
      if (key.endsWith("b")) count(counter, by);
    });
    const batch = testBatch("d1", [testEvent("a"), testEvent("b")]);
    await expect(ingest(batch, options)).rejects.toMatchObject({ code: "HANDLER_FAILED" });
    const rows = await db.select({ key: events.key, error: events.handlerError }).from(events).orderBy(asc(events.key));
    expect(rows).toEqual([
      { key: "message:1:a", error: null },
      { key: "message:1:b", error: "RangeError" },
    ]);
  });

  test("count each kind by its own name", async () => {
    const { db } = await openTestStore();
    const handlers = createHandlers((event, { count }) => count(event.kind));
    const options = { ...optionsFor(db), handlers };
    await ingest(testBatch("d1", [testEvent("a"), testEvent("b"), testEvent("c", { kind: "comment" })]), options);
    await ingest(testBatch("d2", [testEvent("b"), testEvent("d")]), options);
    expect(await db.select().from(handlerCounts).orderBy(asc(handlerCounts.name))).toEqual([
      { name: "comment", count: 1 },
      { name: "message", count: 3 },
    ]);
  });
});

function createGate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** The clock, and how many timers have been set by it. */
function countTimers(clock: Clock): { clock: Clock; count: () => number } {
  let count = 0;
  const after: Clock["after"] = (delayMs, callback) => {
    count += 1;
    return clock.after(delayMs, callback);
  };
  return { clock: { ...clock, after }, count: () => count };
}

async function leased(db: Database): Promise<number> {
  return db.$count(events, isNotNull(events.leasedUntil));
}

/** The events as they lie there when the process dies right after the commit. */
async function storeOnly(db: Database, clock: Clock, ...mids: string[]): Promise<void> {
  const batch = testBatch(
    "d1",
    mids.map((mid) => testEvent(mid)),
  );
  await storeBatch(db, toStore(batch, clock.nowMs()), clock);
}
