import { asc, eq, isNotNull } from "drizzle-orm";
import { describe, expect, test } from "vitest";

import { type Handler, HandlerError } from "#handlers/handler.ts";
import { ingest } from "#ingestion/ingest.ts";
import { systemClock } from "#platform/clock.ts";
import type { Database } from "#store/database.ts";
import { events, handlerCounts } from "#store/schema.ts";
import { noTrace } from "#tracing/trace.ts";

import { createHandlers } from "../support/handlers.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";

function optionsFor(db: Database, message: Handler = () => {}) {
  const recording = createRecordingLog();
  const handlers = createHandlers(undefined, { message });
  return { db, handlers, handlerTimeoutMs: 5_000, clock: systemClock, log: recording.log, trace: noTrace, recording };
}

describe("handlers", () => {
  test("that fail slowly do not hold back the others of their batch", async () => {
    const { db } = await openTestStore();
    const clock = createManualClock();
    const calls: string[] = [];
    const mids = Array.from({ length: 20 }, (_, index) => `m${String(index).padStart(2, "0")}`);
    const options = {
      ...optionsFor(db, async ({ key }) => {
        calls.push(key);
        if (key < "message:1:m05") await clock.advance(10_000);
      }),
      handlerTimeoutMs: 10_000,
      clock,
    };
    const batch = testBatch(
      "d1",
      mids.map((mid) => testEvent(mid)),
    );
    await expect(ingest(batch, options)).rejects.toMatchObject({ code: "HANDLER_FAILED" });
    expect(calls).toHaveLength(5);
    await expect(ingest(batch, options)).rejects.toMatchObject({ code: "HANDLER_FAILED" });
    expect(calls.slice(5, 20)).toEqual(mids.slice(5).map((mid) => `message:1:${mid}`));
    expect(await db.$count(events, isNotNull(events.handledAt))).toBe(15);
  });

  test("that another process has taken over meanwhile are not called again, nor marked as failed", async () => {
    const { db } = await openTestStore();
    const manual = createManualClock();
    let stoodStillMs = 0;
    const clock = { ...manual, nowMs: () => manual.nowMs() + stoodStillMs };
    const calls: string[] = [];
    const batch = testBatch("d1", [testEvent("a"), testEvent("b"), testEvent("c")]);
    const other = { ...optionsFor(db, ({ key }) => void calls.push(`other ${key}`)), clock };
    const first = optionsFor(db, async ({ key }) => {
      calls.push(`first ${key}`);
      // The process stands still until its lease has run out, and QStash delivers the batch to another one.
      stoodStillMs = 10_000;
      await ingest(batch, other);
      throw new Error("too late");
    });
    await expect(ingest(batch, { ...first, clock })).rejects.toMatchObject({ code: "HANDLER_FAILED" });
    expect(calls).toEqual(["first message:1:a", "other message:1:a", "other message:1:b", "other message:1:c"]);
    expect(await db.$count(events, isNotNull(events.handledAt))).toBe(3);
    expect(await db.$count(events, isNotNull(events.handlerError))).toBe(0);
  });

  test("count by a hundred names at most, and go on counting by those they have", async () => {
    const { db } = await openTestStore();
    const options = optionsFor(db, (_event, { count }) => {
      for (let index = 0; index < 150; index += 1) {
        try {
          count(`name ${index}`);
        } catch {
          count("name 0");
        }
      }
    });
    await ingest(testBatch("d1", [testEvent("a")]), options);
    expect(await db.$count(handlerCounts)).toBe(100);
    const [row] = await db.select().from(handlerCounts).where(eq(handlerCounts.name, "name 0"));
    expect(row?.count).toBe(51);
  });

  test("that end the process are afterwards called last in their batch", async () => {
    const { db } = await openTestStore();
    const clock = createManualClock();
    const calls: string[] = [];
    const batch = testBatch("d1", [testEvent("killer"), testEvent("a"), testEvent("b")]);
    const attempts = async () => {
      const rows = await db
        .select({ key: events.key, attempts: events.handlerAttempts, handledAt: events.handledAt })
        .from(events)
        .orderBy(asc(events.id));
      return Object.fromEntries(
        rows.map((row) => [row.key, `${row.attempts} ${row.handledAt === null ? "open" : "done"}`]),
      );
    };
    // A process that ends does nothing more: its handler never returns, and its timers never fire.
    const dieAtKiller = async () => {
      await new Promise<void>((die) => {
        const options = optionsFor(db, ({ key }) => {
          calls.push(key);
          if (!key.endsWith("killer")) return;
          die();
          return new Promise(() => {});
        });
        void ingest(batch, { ...options, clock: { ...clock, after: () => () => {} } });
      });
      await clock.advance(60_000);
    };
    await dieAtKiller();
    expect(calls).toEqual(["message:1:killer"]);
    await dieAtKiller();
    expect(await attempts()).toMatchObject({ "message:1:killer": "1 open", "message:1:a": "0 open" });
    await dieAtKiller();
    expect(calls.slice(2)).toEqual(["message:1:a", "message:1:b", "message:1:killer"]);
    expect(await attempts()).toEqual({
      "message:1:a": "1 done",
      "message:1:b": "1 done",
      "message:1:killer": "2 open",
    });
    expect(await ingest(batch, { ...optionsFor(db), clock })).toEqual({ inserted: 0, duplicates: 3 });
    expect(await attempts()).toMatchObject({ "message:1:killer": "3 done" });
  });

  test.each<[string, () => unknown, string]>([
    ["null", () => null, "object"],
    ["a text", () => "the customer's words", "string"],
    ["an error whose name cannot be read", () => odd(new Error("x"), "name"), "UnreadableError"],
    ["an error whose cause cannot be read", () => odd(new Error("x"), "cause"), "UnreadableError"],
    ["an error whose stack cannot be read", () => odd(new Error("x"), "stack"), "UnreadableError"],
    ["an error whose name is a symbol", () => Object.assign(new Error("x"), { name: Symbol("x") }), "UnreadableError"],
    ["a Proxy that refuses everything", () => new Proxy(new Error("x"), refuseAll), "UnreadableError"],
    ["a Proxy that was revoked", () => revoked(), "UnreadableError"],
    ["a name of a megabyte", () => Object.assign(new Error("x"), { name: "\0N".repeat(500_000) }), "N".repeat(200)],
    ["a cause that is itself", () => selfCaused(), "Error < Error < Error < Error < Error"],
  ])("that throw %s fail for their own event only", async (_name, makeThrown, errorName) => {
    const { db } = await openTestStore();
    const options = optionsFor(db, ({ key }) => {
      if (key.endsWith("b")) throw makeThrown();
    });
    const batch = testBatch("d1", [testEvent("a"), testEvent("b"), testEvent("c")]);
    await expect(ingest(batch, options)).rejects.toMatchObject({ code: "HANDLER_FAILED" });
    const rows = await db
      .select({ error: events.handlerError, handledAt: events.handledAt })
      .from(events)
      .orderBy(asc(events.key));
    expect(rows.map(({ error, handledAt }) => [error, handledAt !== null])).toEqual([
      [null, true],
      [errorName, false],
      [null, true],
    ]);
    expect(JSON.stringify(options.recording.lines)).not.toContain("customer");
  });

  test("that count beyond the limit leave the counter at the largest exact number", async () => {
    const { db } = await openTestStore();
    const options = optionsFor(db, (_event, { count }) => {
      for (let time = 0; time < 3; time += 1) count("much", Number.MAX_SAFE_INTEGER);
    });
    await db.insert(handlerCounts).values({ name: "much", count: Number.MAX_SAFE_INTEGER });
    await ingest(testBatch("d1", [testEvent("a"), testEvent("b")]), options);
    expect(await db.select().from(handlerCounts)).toEqual([{ name: "much", count: Number.MAX_SAFE_INTEGER }]);
  });

  test("that count by the halves of emojis are handled, and so are their neighbours", async () => {
    const { db } = await openTestStore();
    const options = optionsFor(db, (_event, { count }) => {
      for (const emoji of ["😀", "👍"]) count(emoji.slice(1));
      count("\uFFFD");
    });
    await ingest(testBatch("d1", [testEvent("a"), testEvent("b")]), options);
    expect(await db.$count(events, isNotNull(events.handledAt))).toBe(2);
    expect(await db.select().from(handlerCounts)).toEqual([{ name: "\uFFFD", count: 6 }]);
  });

  test("that count by too many names fail for their own event only", async () => {
    const { db } = await openTestStore();
    const options = optionsFor(db, ({ key }, { count }) => {
      for (let name = 0; name < (key.endsWith("b") ? 100_000 : 100); name += 1) count(`n${name}`);
    });
    const ingested = ingest(testBatch("d1", [testEvent("a"), testEvent("b")]), options);
    await expect(ingested).rejects.toMatchObject({ code: "HANDLER_FAILED" });
    expect(await db.$count(events, isNotNull(events.handledAt))).toBe(1);
  });

  test("log by their own names, with the ids of the delivery and the event", async () => {
    const { db } = await openTestStore();
    const options = optionsFor(db, (_event, { log }) => log.info("crm.sent", { event: "mine", status: 200 }));
    const log = options.log.with({ deliveryId: "d1" });
    await ingest(testBatch("d1", [testEvent("a")]), { ...options, log });
    expect(options.recording.of("handler.log")).toMatchObject([
      { deliveryId: "d1", key: "message:1:a", name: "crm.sent", fields: { event: "mine", status: 200 } },
    ]);
  });

  test("that fail are logged with the stack's frames, and with the message if it may be shown", async () => {
    const { db } = await openTestStore();
    const options = optionsFor(db, function failing({ key }) {
      if (key.endsWith("a")) throw new TypeError("the customer's words\n    at words (customer:1:1)");
      throw new HandlerError("The CRM answered 500");
    });
    const ingested = ingest(testBatch("d1", [testEvent("a"), testEvent("b")]), options);
    await expect(ingested).rejects.toMatchObject({ code: "HANDLER_FAILED" });
    const [first, second] = options.recording.of("handler.failed");
    expect(first).toMatchObject({ cause: "TypeError" });
    expect(second).toMatchObject({ cause: "HandlerError", causeMessage: "The CRM answered 500" });
    const frames = first?.["frames"] as string[];
    expect(frames[0]).toMatch(/^failing \(\S+\/handler-faults\.test\.ts:\d+:\d+\)$/);
    expect(frames.length).toBeLessThanOrEqual(10);
    expect(JSON.stringify(first)).not.toContain("customer");
  });
});

/** The error with a property that throws when it is read. */
function odd(error: Error, property: string): Error {
  return Object.defineProperty(error, property, {
    get: () => {
      throw new Error("not to be read");
    },
  });
}

const refuseAll: ProxyHandler<Error> = {
  get: () => {
    throw new Error("not to be read");
  },
  getPrototypeOf: () => {
    throw new Error("not to be known");
  },
};

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function selfCaused(): Error {
  const error = new Error("x");
  error.cause = error;
  return error;
}
