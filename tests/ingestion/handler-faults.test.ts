import { execFile } from "node:child_process";
import { promisify } from "node:util";

import type { Pool } from "pg";
import { describe, expect, test } from "vitest";

import { HandlerError } from "#handlers/handler.ts";
import { runHandlersOf } from "#ingestion/run-handlers-of.ts";
import { openDatabase } from "#store/connection/database.ts";

import { bundle } from "../support/bundle.ts";
import { eventually } from "../support/eventually.ts";
import { createHandling, ingest } from "../support/handling.ts";
import { advanceUntilSettled, createManualClock } from "../support/manual-clock.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { endLeases, makeDue, readCounts, readKeys, readTries, readWork } from "../support/work.ts";

const apart = (mids: readonly string[]) => mids.map((mid) => testEvent(mid, { senderId: `from ${mid}` }));
const openIds = async (pool: Pool) => (await readWork(pool)).map(({ id }) => id);

/** What is thrown, and the name under which it is stored. */
const oddities: [what: string, makeThrown: () => unknown, error: string][] = [
  ["null", () => null, "null"],
  ["a text", () => "the customer's words", "string"],
  ["an error whose name cannot be read", () => odd(new Error("x"), "name"), "UnreadableError"],
  ["an error whose cause cannot be read", () => odd(new Error("x"), "cause"), "UnreadableError"],
  ["an error whose stack cannot be read", () => odd(new Error("x"), "stack"), "UnreadableError"],
  ["an error whose name is a symbol", () => Object.assign(new Error("x"), { name: Symbol("x") }), "UnreadableError"],
  ["a Proxy that refuses everything", () => new Proxy(new Error("x"), refuseAll), "UnreadableError"],
  ["a Proxy that was revoked", () => revoked(), "UnreadableError"],
  ["a name of a megabyte", () => Object.assign(new Error("x"), { name: "\0N".repeat(500_000) }), "N".repeat(200)],
  ["a cause that is itself", () => selfCaused(), "Error < Error < Error < Error < Error"],
];

describe("handlers", () => {
  test("that throw whatever fail for their own event only", async () => {
    const { db, pool } = await openTestStore();
    const options = createHandling(db, ({ key }) => {
      const index = Number(key.split(":").at(-1));
      if (index % 2 === 1) throw oddities[(index - 1) / 2]?.[1]();
    });
    // Every second one throws.
    const mids = Array.from({ length: 2 * oddities.length + 1 }, (_, index) => String(index));
    await ingest(
      testBatch(
        "d1",
        mids.map((mid) => testEvent(mid)),
      ),
      options,
    );
    expect(await readKeys(pool, "handled")).toHaveLength(oddities.length + 1);
    const errors = (await readWork(pool)).map(({ error }) => error);
    expect(errors).toEqual(oddities.map(([, , error]) => error));
    expect(JSON.stringify(options.recording.lines)).not.toContain("customer");
  });

  test("that say that no attempt can succeed make a dead letter at once", async () => {
    const { db, pool } = await openTestStore();
    const options = createHandling(db, () => {
      throw new HandlerError("The CRM knows no such person", { retryable: false, code: "crm_unknown" });
    });
    await ingest(testBatch("d1", [testEvent("a")]), options);
    expect(await readWork(pool)).toMatchObject([{ state: "dead", attempts: 1 }]);
    expect(options.published).toEqual([]);
    const { rows } = await pool.query("select error_name, error_code, error_message from relay.dead_letters");
    const error = { error_name: "HandlerError", error_code: "crm_unknown" };
    expect(rows).toEqual([{ ...error, error_message: "The CRM knows no such person" }]);
  });

  test("that ask to be called again at a time of their own are", async () => {
    const { db } = await openTestStore();
    const options = createHandling(db, () => {
      throw new HandlerError("busy", { retryAfterMs: 90_000 });
    });
    await ingest(testBatch("d1", [testEvent("a")]), options);
    expect(options.published).toMatchObject([{ delayMs: 90_000 }]);
  });

  test("that never return are given up, and their signal aborts", async () => {
    const { db, pool } = await openTestStore();
    const clock = createManualClock();
    const reasons: unknown[] = [];
    let hasBegun = false;
    const message = (_event: unknown, { signal }: { signal: AbortSignal }) => {
      hasBegun = true;
      signal.addEventListener("abort", () => reasons.push(signal.reason));
      return new Promise<void>(() => {});
    };
    const options = createHandling(db, message, { clock });
    const ingested = ingest(testBatch("d1", [testEvent("a")]), options);
    await eventually("the handler has begun", () => hasBegun);
    await advanceUntilSettled(clock, ingested, 1_000);
    expect(reasons).toMatchObject([{ name: "HandlerTimeout" }]);
    expect(await readTries(pool)).toMatchObject([
      { error: "HandlerTimeout", message: "The handler took longer than 5000 ms" },
    ]);
  });

  test("that wait while another one blocks the process do not fail because of it", async () => {
    const { db, pool } = await openTestStore();
    const options = createHandling(
      db,
      async ({ key }, { database }) => {
        if (key.endsWith("waits")) await database.query("select 1");
        else await blockFor(1_500);
      },
      { handlerTimeoutMs: 1_000 },
    );
    await ingest(testBatch("d1", apart(["waits", "blocks"])), options);
    expect(await readWork(pool)).toEqual([]);
  });

  test("count by a hundred names at most, and go on counting by those they have", async () => {
    const { db, pool } = await openTestStore();
    const options = createHandling(db, (_event, { count }) => {
      for (let index = 0; index < 150; index += 1) {
        try {
          count(`name ${index}`);
        } catch {
          count("name 0");
        }
      }
    });
    await ingest(testBatch("d1", [testEvent("a")]), options);
    const counts = await readCounts(pool);
    expect(Object.keys(counts)).toHaveLength(100);
    expect(counts["name 0"]).toBe(51);
  });

  test.each<[string, string, number]>([
    ["a fraction", "x", 0.5],
    ["a NUL in the name", "a\0b", 1],
    ["a name without end", "x".repeat(101), 1],
  ])("that count %s fail alone", async (_name, counter, by) => {
    const { db, pool } = await openTestStore();
    const options = createHandling(db, ({ key }, { count }) => {
      if (key.endsWith("b")) count(counter, by);
    });
    await ingest(testBatch("d1", [testEvent("a"), testEvent("b")]), options);
    expect(await readWork(pool)).toMatchObject([{ key: "message:1:b", error: "RangeError" }]);
  });

  test("that count by the halves of emojis are handled, and so are their neighbours", async () => {
    const { db, pool } = await openTestStore();
    const options = createHandling(db, (_event, { count }) => {
      for (const emoji of ["😀", "👍"]) count(emoji.slice(1));
      count("\uFFFD");
    });
    await ingest(testBatch("d1", [testEvent("a"), testEvent("b")]), options);
    expect(await readWork(pool)).toEqual([]);
    expect(await readCounts(pool)).toEqual({ "\uFFFD": 6 });
  });

  test("log by their own names, with the ids of the delivery and the event", async () => {
    const { db } = await openTestStore();
    const options = createHandling(db, (_event, { log }) => log.info("crm.sent", { event: "mine", status: 200 }));
    const deliveryId = "0190a5b2-0000-7000-8000-000000000001";
    await ingest(testBatch(deliveryId, [testEvent("a")]), options);
    expect(options.recording.of("handler.log")).toMatchObject([
      { deliveryId, key: "message:1:a", name: "crm.sent", fields: { event: "mine", status: 200 } },
    ]);
  });

  test("that fail are logged with the stack's frames, and with the message if it may be shown", async () => {
    const { db } = await openTestStore();
    const options = createHandling(db, function failing({ key }) {
      if (key.endsWith("a")) throw new TypeError("the customer's words\n    at words (customer:1:1)");
      throw new HandlerError("The CRM answered 500");
    });
    await ingest(testBatch("d1", [testEvent("a"), testEvent("b")]), options);
    const [first, second] = options.recording.of("handler.failed");
    expect(first).toMatchObject({ cause: "TypeError" });
    expect(second).toMatchObject({ cause: "HandlerError", causeMessage: "The CRM answered 500" });
    const frames = first?.["frames"] as string[];
    expect(frames[0]).toMatch(/^failing \(\S+\/handler-faults\.test\.ts:\d+:\d+\)$/);
    expect(JSON.stringify(first)).not.toContain("customer");
  });
});

interface Elsewhere {
  code: number;
  /** What its handlers began, as key and attempt. */
  seen: string[];
}

/** Handles events in a process of its own, which a handler may end. */
async function handleElsewhere(databaseUrl: string, what: { mids: string[] } | { ids: number[] }): Promise<Elsewhere> {
  const script = await bundle(new URL("handling-process.ts", import.meta.url));
  const args = [script, JSON.stringify({ databaseUrl, ...what })];
  const read = (code: number, stdout: string) => ({ code, seen: stdout.split("\n").filter((line) => line !== "") });
  try {
    return read(0, (await promisify(execFile)(process.execPath, args)).stdout);
  } catch (thrown) {
    const { code, stdout } = thrown as { code: number; stdout: string };
    return read(code, stdout);
  }
}

describe("a process that dies", () => {
  test(
    "because of its handler for the second time leaves a dead letter, and every other event is handled",
    { timeout: 60_000 },
    async () => {
      const { db, pool, url } = await openTestStore();
      expect(await handleElsewhere(url, { mids: ["a", "killer", "b"] })).toEqual({
        code: 7,
        seen: ["a 1", "killer 1"],
      });
      await endLeases(pool);
      // Any of the three can have ended the process: now each is leased alone.
      const ids = await openIds(pool);
      expect(await handleElsewhere(url, { ids })).toEqual({ code: 7, seen: ["a 2", "killer 2"] });
      expect(await readKeys(pool, "handled")).toEqual(["message:1:a"]);
      await endLeases(pool);
      expect(await handleElsewhere(url, { ids })).toEqual({ code: 0, seen: ["b 2"] });
      // Its handler began twice: the lease under which that was found is no attempt.
      const dead = { key: "message:1:killer", state: "dead", attempts: 2, deaths: 2, error: "HandlerEndedProcess" };
      expect(await readWork(pool)).toMatchObject([dead]);
      const { rows } = await pool.query("select event_id::float8 as id, attempts, error_name from relay.dead_letters");
      expect(rows).toEqual([{ id: ids[1], attempts: 2, error_name: "HandlerEndedProcess" }]);
      const tries = (await readTries(pool)).map(({ attempt, error }) => ({ attempt, error }));
      const again = { attempt: 2, error: null };
      expect(tries).toEqual([again, { attempt: 2, error: "HandlerEndedProcess" }, again]);
      // A later message finds nothing to do.
      const later = { eventIds: ids, replay: null, messageId: null };
      expect(await runHandlersOf(later, createHandling(db))).toEqual({ handled: 0, failed: 0, skipped: 3 });
    },
  );

  test("blocked for longer than its lease still notes its success, and begins nothing more", async () => {
    const { db, pool } = await openTestStore();
    const manual = createManualClock();
    let blockedMs = 0;
    const clock = { ...manual, monotonicMs: () => manual.monotonicMs() + blockedMs };
    const block = async () => {
      blockedMs += 30_000;
      await endLeases(pool);
    };
    const options = createHandling(db, block, { clock, concurrency: 1 });
    const { handlers } = await ingest(testBatch("d1", apart(["a", "b"])), options);
    expect(handlers).toMatchObject({ handled: 1, released: 1, lost: 0 });
    expect(await readKeys(pool, "handled")).toEqual(["message:1:a"]);
    await makeDue(pool);
    const rest = { eventIds: await openIds(pool), replay: null, messageId: null };
    expect(await runHandlersOf(rest, createHandling(db))).toMatchObject({ handled: 1 });
  });
});

describe("results", () => {
  test("are stored by a later attempt if Postgres is down for a moment", async () => {
    const { pool, url } = await openTestStore();
    const proxy = await startTcpProxy(url, 5432);
    const { db, close } = openDatabase(proxy.url);
    const clock = createManualClock();
    const options = createHandling(db, async () => proxy.goDown(), { clock });
    const ingested = ingest(testBatch("d1", [testEvent("a")]), options);
    while (options.recording.of("handlers.settle_failed").length === 0) await clock.advance(0);
    await proxy.comeUp();
    // Ten seconds of this clock are the limit, and a busy server may need one of its own.
    await advanceUntilSettled(clock, ingested, 20);
    expect(await ingested).toMatchObject({ handlers: { handled: 1, unsettled: 0 } });
    expect(await readWork(pool)).toEqual([]);
    await close();
    await proxy.close();
  });

  test("that cannot be stored are given up after ten seconds, and the handlers run again after the lease", async () => {
    const { pool, url } = await openTestStore();
    const proxy = await startTcpProxy(url, 5432);
    const { db, close } = openDatabase(proxy.url);
    const clock = createManualClock();
    let isDown = false;
    const goDown = async () => {
      await proxy.goDown();
      isDown = true;
    };
    const options = createHandling(db, goDown, { clock });
    const ingested = ingest(testBatch("d1", [testEvent("a")]), options);
    await eventually("the handler has run", () => isDown);
    await advanceUntilSettled(clock, ingested, 1_000);
    expect(await ingested).toMatchObject({ handlers: { handled: 1, unsettled: 1 } });
    expect(options.recording.of("handlers.finished")).toMatchObject([{ level: "error", unsettled: 1 }]);
    await close();
    await endLeases(pool);
    const again = openDatabase(url);
    const message = { eventIds: await openIds(pool), replay: null, messageId: null };
    expect(await runHandlersOf(message, createHandling(again.db))).toMatchObject({ handled: 1 });
    await again.close();
  });
});

/** Holds the event loop, once the others have begun to wait. */
async function blockFor(ms: number): Promise<void> {
  await new Promise(setImmediate);
  const until = performance.now() + ms;
  while (performance.now() < until);
}

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
