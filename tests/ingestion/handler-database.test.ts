import { describe, expect, test } from "vitest";

import { createHandlerDatabase } from "#ingestion/handler-database.ts";
import { systemClock } from "#platform/clock.ts";

import { eventually } from "../support/eventually.ts";
import { createHandling, ingest } from "../support/handling.ts";
import { advanceUntilSettled, createManualClock } from "../support/manual-clock.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";
import { readWork } from "../support/work.ts";

const neverAborted = new AbortController().signal;

describe("a handler's database", () => {
  test("commits what succeeds and rolls back what fails", async () => {
    const { db, pool } = await openTestStore();
    await pool.query("create table public.people (id text primary key, texts integer not null)");
    const options = createHandling(db, async ({ key, senderId }, { database }) => {
      await database.transaction(async (query) => {
        await query("insert into people values ($1, 1)", [`${senderId} ${key}`]);
        if (key.endsWith("b")) throw new Error("x");
      });
      const rows = await database.query<{ texts: number }>("select texts from people");
      expect(rows).toEqual([{ texts: 1 }]);
    });
    const { handlers } = await ingest(testBatch("d1", [testEvent("a"), testEvent("b")]), options);
    expect(handlers).toMatchObject({ handled: 1, failed: 1 });
    const { rows } = await pool.query("select id from people");
    expect(rows).toEqual([{ id: "user message:1:a" }]);
  });

  test("fails its handler with the name and code of Postgres's error, without its text", async () => {
    const { db, pool } = await openTestStore();
    const options = createHandling(db, async (_event, { database }) => {
      await database.query("select * from missing where words = $1", ["the customer's words"]);
    });
    await ingest(testBatch("d1", [testEvent("a")]), options);
    expect(await readWork(pool)).toMatchObject([{ error: "error" }]);
    expect(options.recording.of("handler.failed")).toMatchObject([{ causeCode: "42P01" }]);
    expect(JSON.stringify(options.recording.lines)).not.toMatch(/customer|missing/);
  });

  test("ends a statement and gives its connection back when the handler's time is over", async () => {
    const { db, pool } = await openTestStore();
    const abort = new AbortController();
    const database = createHandlerDatabase(db, abort.signal, systemClock);
    const sleeping = database.query("select pg_sleep(60)");
    await eventually("the statement runs", async () => {
      const { rows } = await pool.query(
        "select from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'",
      );
      return rows.length === 1;
    });
    abort.abort(new Error("The time is over"));
    await expect(sleeping).rejects.toThrow("The time is over");
    await expect(database.query("select 1")).rejects.toThrow("The time is over");
    await eventually("no connection is held", () => pool.totalCount === pool.idleCount);
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  test("gives the connection back even if the handler goes on within a transaction for ever", async () => {
    const { db, pool } = await openTestStore();
    const abort = new AbortController();
    let hasBegun = false;
    const hanging = createHandlerDatabase(db, abort.signal, systemClock).transaction(() => {
      hasBegun = true;
      return new Promise(() => {});
    });
    await eventually("the transaction has begun", () => hasBegun);
    abort.abort(new Error("The time is over"));
    await expect(hanging).rejects.toThrow("The time is over");
    await eventually("no connection is held", () => pool.totalCount === pool.idleCount);
  });

  test("leaves half of the connections to ingestion, and makes further handlers wait", async () => {
    const { db, pool } = await openTestStore();
    const clock = createManualClock();
    const database = createHandlerDatabase(db, neverAborted, clock);
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let held = 0;
    const hold = async () => {
      held += 1;
      await gate;
    };
    const places = Math.floor(pool.options.max / 2);
    const holding = Array.from({ length: places }, () => database.transaction(hold));
    await eventually("all places are taken", () => held === places);
    const waiting = Array.from({ length: 20 }, () => database.query("select 1 as one"));
    expect(await ingest(testBatch("d1", [testEvent("a")]), createHandling(db))).toMatchObject({ inserted: 1 });
    await clock.advance(4_000);
    open();
    await Promise.all(holding);
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 20 }, () => [{ one: 1 }]));
  });

  test("rejects if no connection becomes free within five seconds", async () => {
    const { db } = await openTestStore();
    const clock = createManualClock();
    const database = createHandlerDatabase(db, neverAborted, clock);
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const holding = [1, 2].map(() => database.transaction(() => gate));
    const waiting = database.query("select 1");
    await Promise.all([
      expect(waiting).rejects.toMatchObject({ name: "HandlerDatabaseBusy" }),
      advanceUntilSettled(clock, waiting, 1_000),
    ]);
    open();
    await Promise.all(holding);
  });
});
