import { describe, expect, test } from "vitest";

import { createProcessWork } from "#ingestion/process-work.ts";
import { runHandlersOf } from "#ingestion/run-handlers-of.ts";

import { eventually } from "../support/eventually.ts";
import { createHandling, ingest } from "../support/handling.ts";
import { advanceUntilSettled, createManualClock } from "../support/manual-clock.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";
import { endLeases, makeDue, readCounts, readKeys, readTries, readWork } from "../support/work.ts";

const keysOf = (...mids: string[]) => mids.map((mid) => `message:1:${mid}`);
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `m${String(index).padStart(3, "0")}`);
/** Each event a conversation of its own. */
const apart = (mids: readonly string[]) => mids.map((mid) => testEvent(mid, { senderId: `from ${mid}` }));

describe("handlers", () => {
  test("get each event once, in the order of the delivery, with its facts", async () => {
    const { db } = await openTestStore();
    const seen: object[] = [];
    const options = createHandling(db, (event, { attempt, deliveryId, replay, backfill }) => {
      seen.push({ ...event, id: 0, attempt, deliveryId, replay, backfill });
    });
    const deliveryId = "0190a5b2-0000-7000-8000-000000000001";
    const batch = testBatch(deliveryId, [testEvent("z"), testEvent("a")]);
    await ingest(batch, options);
    await ingest(batch, options);
    await ingest(testBatch("d2", [testEvent("a")]), options);
    expect(seen).toMatchObject([{ key: "message:1:z" }, { key: "message:1:a" }]);
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
      deliveryId,
      replay: null,
      backfill: false,
    });
  });

  test("run side by side for as many conversations as allowed, and one after another within a conversation", async () => {
    const { db } = await openTestStore();
    const running = new Set<string>();
    let most = 0;
    const order: string[] = [];
    const options = createHandling(db, async ({ key, senderId }) => {
      expect(running).not.toContain(senderId);
      running.add(senderId ?? "");
      most = Math.max(most, running.size);
      order.push(key);
      await new Promise(setImmediate);
      running.delete(senderId ?? "");
    });
    const events = numbered(60).map((mid, index) => testEvent(mid, { senderId: `user ${index % 6}` }));
    const { handlers } = await ingest(testBatch("d1", events), { ...options, concurrency: 3 });
    expect(handlers).toMatchObject({ handled: 60, failed: 0 });
    expect(most).toBe(3);
    for (let user = 0; user < 6; user += 1) {
      const own = events.filter(({ senderId }) => senderId === `user ${user}`).map(({ key }) => key);
      expect(order.filter((key) => own.includes(key))).toEqual(own);
    }
  });

  test("what the account itself sends belongs to the conversation with the other side", async () => {
    const { db } = await openTestStore();
    const order: string[] = [];
    const options = createHandling(db, async ({ key }) => {
      order.push(key);
      await new Promise(setImmediate);
      order.push(key);
    });
    await ingest(testBatch("d1", [testEvent("in"), testEvent("out", { senderId: "1", recipientId: "user" })]), options);
    expect(order).toEqual(keysOf("in", "in", "out", "out"));
  });

  test("that fail are tried again when their time has come, and the others are not", async () => {
    const { db, pool } = await openTestStore();
    const seen: string[] = [];
    let broken = true;
    const options = createHandling(db, (event, { attempt, count }) => {
      seen.push(`${event.key} ${attempt}`);
      count("tried");
      if (broken && event.key.endsWith("b")) throw Object.assign(new TypeError("no"), { code: "crm_down" });
    });
    const batch = testBatch("d1", [testEvent("a"), testEvent("b"), testEvent("c")]);
    expect((await ingest(batch, options)).handlers).toMatchObject({ handled: 2, failed: 1 });
    const [failed] = await readWork(pool);
    expect(failed).toMatchObject({ key: "message:1:b", state: "open", attempts: 1, error: "TypeError", leased: false });
    expect(failed?.dueIn).toBeGreaterThan(5);
    expect(failed?.dueIn).toBeLessThanOrEqual(10);
    // A message is under way for two minutes longer, and maintenance waits for it.
    expect(failed?.queuedFor).toBeGreaterThan(125);
    const id = failed?.id ?? 0;
    expect(options.published).toMatchObject([{ eventIds: [id], replay: null, delayMs: 10_000 }]);

    broken = false;
    // The batch comes again too early, and so does the message.
    await ingest(batch, options);
    const message = { eventIds: [id], replay: null, messageId: "msg_retry" };
    expect(await runHandlersOf(message, options)).toEqual({ handled: 0, failed: 0, skipped: 1 });
    await makeDue(pool);
    expect(await runHandlersOf(message, options)).toEqual({ handled: 1, failed: 0, skipped: 0 });
    // Delivered twice, or three days late.
    expect(await runHandlersOf(message, options)).toEqual({ handled: 0, failed: 0, skipped: 1 });
    expect(seen).toEqual(["message:1:a 1", "message:1:b 1", "message:1:c 1", "message:1:b 2"]);
    // What the failed attempt counted does not count.
    expect(await readCounts(pool)).toEqual({ tried: 3 });
    const common = { key: "message:1:b", deployment: "build-1" };
    expect(await readTries(pool)).toMatchObject([
      { ...common, attempt: 1, error: "TypeError", code: "crm_down", message: null, messageId: "msg_batch" },
      { ...common, attempt: 2, error: null, messageId: "msg_retry" },
    ]);
  });

  test("have retries after the delays, then the event is a dead letter with the frames of its error", async () => {
    const { db, pool } = await openTestStore();
    const options = createHandling(db, () => {
      throw new Error("words");
    });
    await ingest(testBatch("d1", [testEvent("a")]), options);
    const { eventIds = [] } = options.published[0] ?? {};
    for (let retry = 0; retry < 8; retry += 1) {
      await makeDue(pool);
      expect(await runHandlersOf({ eventIds, replay: null, messageId: null }, options)).toMatchObject({ failed: 1 });
    }
    const minute = 60_000;
    const hour = 60 * minute;
    expect(options.published.map(({ delayMs }) => delayMs)).toEqual([
      10_000,
      minute,
      5 * minute,
      30 * minute,
      2 * hour,
      6 * hour,
      12 * hour,
      24 * hour,
    ]);
    expect(await readWork(pool)).toMatchObject([{ state: "dead", attempts: 9, queuedFor: null }]);
    const { rows } = await pool.query("select source, attempts, error_name, frames from relay.dead_letters");
    expect(rows).toMatchObject([{ source: "handler", attempts: 9, error_name: "Error" }]);
    expect((rows[0] as { frames: string[] }).frames[0]).toMatch(/handlers\.test\.ts:\d+:\d+/);
    await makeDue(pool);
    expect(await runHandlersOf({ eventIds, replay: null, messageId: null }, options)).toMatchObject({ skipped: 1 });
  });

  test("of a replay see it, and each of their calls is recorded under it, also the first of an event that was handled", async () => {
    const { db, pool } = await openTestStore();
    const seen: unknown[] = [];
    const options = createHandling(db, ({ key }, { replay, attempt }) => void seen.push([key, attempt, replay]));
    await ingest(testBatch("d1", [testEvent("a")]), options);
    await pool.query(`insert into relay.replays (id, state, mode, filter, reason, actor, plan, event_id_max, total)
      values ('r1', 'running', 'again', '{}', 'The CRM lost them', 'ops', '{}', 1, 1)`);
    // As the replay opens it.
    await pool.query(`insert into relay.event_work (event_id, delivery_id, batch_index, next_attempt_at, kind, replay_id)
      select id, delivery_id, batch_index, now(), kind, 'r1' from relay.events`);
    const message = { eventIds: [1], replay: "r1", messageId: "msg_replay" };
    // A message of another replay, or of one that has given the event back, does nothing.
    expect(await runHandlersOf({ ...message, replay: "r2" }, options)).toMatchObject({ handled: 0, skipped: 1 });
    expect(await runHandlersOf(message, options)).toMatchObject({ handled: 1 });
    expect(await runHandlersOf(message, options)).toMatchObject({ handled: 0, skipped: 1 });
    const replay = { id: "r1", mode: "again", reason: "The CRM lost them" };
    expect(seen).toEqual([
      ["message:1:a", 1, null],
      ["message:1:a", 1, replay],
    ]);
    expect(await readTries(pool)).toMatchObject([{ attempt: 1, error: null, replayId: "r1", messageId: "msg_replay" }]);
  });

  test("of equal attempts are asked for again in one message of 200 events", async () => {
    const { db } = await openTestStore();
    const options = createHandling(db, () => {
      throw new Error("x");
    });
    await ingest(testBatch("d1", apart(numbered(250))), options);
    expect(options.published.map(({ eventIds }) => eventIds.length)).toEqual([200, 50]);
    expect(new Set(options.published.map(({ deduplicationId }) => deduplicationId)).size).toBe(2);
  });

  test("200 that take 20 ms each are all handled", async () => {
    const { db, pool } = await openTestStore();
    const clock = createManualClock();
    const options = createHandling(db, () => new Promise((resolve) => clock.after(20, resolve)), { clock });
    const ingested = ingest(testBatch("d1", apart(numbered(200))), options);
    await eventually("the first have begun", () => clock.timersLeft() > 4);
    await advanceUntilSettled(clock, ingested, 100);
    expect((await ingested).handlers).toMatchObject({ handled: 200, released: 0 });
    expect(await readWork(pool)).toEqual([]);
    // Results are stored each second, so the process's death repeats a second's work.
    expect(options.recording.of("handlers.finished")).toMatchObject([{ handled: 200 }]);
  });

  test("of one conversation that take longer than the budget go on in further messages, and none counts as failed", async () => {
    const { db, pool } = await openTestStore();
    const clock = createManualClock();
    const seen: string[] = [];
    const options = createHandling(
      db,
      async ({ key }, { attempt }) => {
        seen.push(`${key} ${attempt}`);
        await clock.advance(400);
      },
      { clock, handlerTimeoutMs: 10_000 },
    );
    const batch = testBatch(
      "d1",
      numbered(200).map((mid) => testEvent(mid)),
    );
    const { handlers } = await ingest(batch, options);
    expect(handlers).toMatchObject({ failed: 0, lost: 0, unsettled: 0 });
    expect(handlers?.handled).toBeGreaterThanOrEqual(124);
    expect(options.published).toMatchObject([{ delayMs: 0 }]);
    const { eventIds = [] } = options.published[0] ?? {};
    expect(eventIds).toHaveLength(200 - (handlers?.handled ?? 0));
    expect(await readWork(pool)).toContainEqual(expect.objectContaining({ attempts: 0, error: null, leased: false }));

    const rest = await runHandlersOf({ eventIds, replay: null, messageId: null }, options);
    expect(rest).toEqual({ handled: eventIds.length, failed: 0, skipped: 0 });
    expect(seen).toEqual(numbered(200).map((mid) => `message:1:${mid} 1`));
    const { rows } = await pool.query("select handled_at from relay.deliveries");
    expect(rows).toEqual([{ handled_at: expect.any(Date) }]);
  });

  test("six that never return do not keep three others waiting", async () => {
    const { db, pool } = await openTestStore();
    const clock = createManualClock();
    const seen: string[] = [];
    const message = ({ key }: { key: string }) => {
      seen.push(key);
      return key.includes("hang") ? new Promise<void>(() => {}) : undefined;
    };
    const options = createHandling(db, message, { clock, handlerTimeoutMs: 10_000 });
    const mids = [...Array.from({ length: 6 }, (_, index) => `hang${index}`), "good0", "good1", "good2"];
    const ingested = ingest(testBatch("d1", apart(mids)), options);
    await eventually("the first four have begun", () => seen.length === 4);
    await advanceUntilSettled(clock, ingested, 1_000);
    expect((await ingested).handlers).toMatchObject({ handled: 3, failed: 6, released: 0 });
    expect(await readKeys(pool, "handled")).toEqual(keysOf("good0", "good1", "good2"));
    expect((await readWork(pool)).map(({ error }) => error)).toEqual(Array(6).fill("HandlerTimeout"));
  });

  test("that failed before begin after those that never did", async () => {
    const { db, pool } = await openTestStore();
    const seen: string[] = [];
    const options = createHandling(
      db,
      ({ key }) => {
        seen.push(key);
        if (key.endsWith("bad")) throw new Error("x");
      },
      { concurrency: 1 },
    );
    await ingest(testBatch("d1", apart(["bad"])), options);
    await makeDue(pool);
    await ingest(testBatch("d2", apart(["bad", "b", "a"])), options);
    expect(seen).toEqual(keysOf("bad", "b", "a", "bad"));
  });

  test("of two simultaneous deliveries of one event run once, though their clocks are an hour apart", async () => {
    const { db } = await openTestStore();
    const gate = createGate();
    let runs = 0;
    const clockOf = (offsetMs: number) => {
      const clock = createManualClock();
      return { ...clock, nowMs: () => clock.nowMs() + offsetMs };
    };
    const message = async () => {
      runs += 1;
      await gate.opened;
    };
    const first = ingest(
      testBatch("d1", [testEvent("a")]),
      createHandling(db, message, { clock: clockOf(-3_600_000) }),
    );
    await eventually("the first delivery runs the handler", () => runs === 1);
    const second = createHandling(db, message, { clock: clockOf(3_600_000) });
    expect(await ingest(testBatch("d2", [testEvent("a")]), second)).toEqual({
      inserted: 0,
      duplicates: 1,
      handlers: null,
    });
    gate.open();
    expect(await first).toMatchObject({ inserted: 1, handlers: { handled: 1 } });
    expect(runs).toBe(1);
  });

  test("that another process has taken over meanwhile are not begun, and a late failure is not stored", async () => {
    const { db, pool } = await openTestStore();
    const seen: string[] = [];
    const other = createHandling(db, ({ key }) => void seen.push(`other ${key}`));
    const batch = testBatch("d1", apart(["a", "b"]));
    const manual = createManualClock();
    let stoodStillMs = 0;
    const clock = { ...manual, nowMs: () => manual.nowMs() + stoodStillMs };
    const options = createHandling(
      db,
      async ({ key }) => {
        seen.push(`first ${key}`);
        // The process stands still, and so does its monotonic clock, until its lease has run out.
        stoodStillMs = 20_000;
        await endLeases(pool);
        const ids = (await readWork(pool)).map(({ id }) => id);
        for (const id of ids) await runHandlersOf({ eventIds: [id], replay: null, messageId: null }, other);
        throw new Error("too late");
      },
      { clock, concurrency: 1 },
    );
    expect((await ingest(batch, options)).handlers).toMatchObject({ handled: 0, failed: 1, released: 1, lost: 2 });
    expect(seen).toEqual(["first message:1:a", "other message:1:a", "other message:1:b"]);
    expect(await readWork(pool)).toEqual([]);
    expect(options.published).toEqual([]);
  });

  test("begin no more when the process is asked to stop; the rest is published", async () => {
    const { db, pool } = await openTestStore();
    const { work, stop } = createProcessWork();
    const seen: string[] = [];
    const options = createHandling(
      db,
      ({ key }) => {
        seen.push(key);
        stop();
      },
      { work, concurrency: 1 },
    );
    const { handlers } = await ingest(testBatch("d1", apart(["a", "b", "c"])), options);
    expect(handlers).toMatchObject({ handled: 1, released: 2 });
    expect(seen).toEqual(keysOf("a"));
    expect(options.published).toMatchObject([{ eventIds: (await readWork(pool)).map(({ id }) => id), delayMs: 0 }]);
  });

  test("whose message cannot be published are left to maintenance", async () => {
    const { db, pool } = await openTestStore();
    const options = createHandling(
      db,
      () => {
        throw new Error("x");
      },
      { publisher: { publish: () => Promise.reject(new TypeError("fetch failed")) } },
    );
    await ingest(testBatch("d1", [testEvent("a")]), options);
    expect(await readWork(pool)).toMatchObject([{ state: "open", queuedFor: null, leased: false }]);
    expect(options.recording.of("handlers.publish_failed")).toHaveLength(2);
  });

  test("go on being stored while QStash is slow to take the messages", async () => {
    const { db, pool } = await openTestStore();
    const clock = createManualClock();
    const [accepting, end] = [createGate(), createGate()];
    let isAsked = false;
    const publish = async () => {
      isAsked = true;
      await accepting.opened;
      return { messageId: "msg_1" };
    };
    const message = async ({ key }: { key: string }) => {
      if (key.endsWith("bad")) throw new Error("x");
      if (key.endsWith("last")) await end.opened;
    };
    const options = createHandling(db, message, { clock, handlerTimeoutMs: 60_000, publisher: { publish } });
    const ingested = ingest(testBatch("d1", apart(["bad", "last"])), options);
    await eventually("the failure is settled", async () => {
      await clock.advance(100);
      return isAsked;
    });
    end.open();
    await eventually("the success is settled", async () => {
      await clock.advance(100);
      return (await readKeys(pool, "handled")).length === 1;
    });
    accepting.open();
    expect((await ingested).handlers).toMatchObject({ handled: 1, failed: 1 });
  });

  test("that are slow hold no connection: thirty at once do not delay another delivery", async () => {
    const { db, pool } = await openTestStore();
    const gate = createGate();
    const slow = createHandling(db, () => gate.opened);
    const waiting = Array.from({ length: 30 }, (_, index) =>
      ingest(testBatch(`slow${index}`, [testEvent(`slow${index}`)]), slow),
    );
    await eventually(
      "all thirty slow deliveries hold a lease",
      async () => (await readWork(pool)).filter(({ leased }) => leased).length === 30,
    );
    expect(await ingest(testBatch("quick", [testEvent("quick")]), createHandling(db))).toMatchObject({ inserted: 1 });
    gate.open();
    await Promise.all(waiting);
  });

  test("count each kind by its own name", async () => {
    const { db, pool } = await openTestStore();
    const options = createHandling(db, (event, { count }) => count(event.kind), {
      handlers: { comment: (event, { count }) => count(event.kind) },
    });
    await ingest(testBatch("d1", [testEvent("a"), testEvent("b"), testEvent("c", { kind: "comment" })]), options);
    await ingest(testBatch("d2", [testEvent("b"), testEvent("d")]), options);
    expect(await readCounts(pool)).toEqual({ comment: 1, message: 3 });
  });
});

function createGate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
