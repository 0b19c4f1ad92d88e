import type { Pool } from "pg";
import { describe, expect, test } from "vitest";

import { openDatabase } from "#store/connection/database.ts";

import { createHandling, ingest } from "../support/handling.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";
import { readKeys } from "../support/work.ts";

describe("ingestBatch()", () => {
  test("stores each event once, however often and in whatever batch it comes", async () => {
    const { db, pool } = await openTestStore();
    const options = createHandling(db);
    const first = testBatch("d1", [testEvent("a"), testEvent("b"), testEvent("a")]);
    expect(await ingest(first, options)).toMatchObject({ inserted: 2, duplicates: 1 });
    expect(await ingest(first, options)).toMatchObject({ inserted: 0, duplicates: 3 });
    const second = testBatch("d2", [testEvent("b"), testEvent("c")]);
    expect(await ingest(second, options)).toMatchObject({ inserted: 1, duplicates: 1 });
    expect(await readKeys(pool, "stored")).toEqual(["message:1:a", "message:1:b", "message:1:c"]);
  });

  test("a redelivery does not change the counts of the first delivery", async () => {
    const { db, pool } = await openTestStore();
    await ingest(testBatch("d1", [testEvent("a")]), createHandling(db));
    await ingest(testBatch("d1", [testEvent("a")]), createHandling(db));
    const { rows } = await pool.query("select batches, inserted, duplicates, handled_at from relay.deliveries");
    expect(rows).toEqual([{ batches: 1, inserted: 1, duplicates: 0, handled_at: expect.any(Date) }]);
  });

  test("stores the delivery of an empty batch, which is handled at once", async () => {
    const { db, pool } = await openTestStore();
    expect(await ingest(testBatch("d1", []), createHandling(db))).toEqual({
      inserted: 0,
      duplicates: 0,
      handlers: null,
    });
    const { rows } = await pool.query("select handled_at from relay.deliveries");
    expect(rows).toEqual([{ handled_at: expect.any(Date) }]);
  });

  test("keeps data letter for letter, also NUL and lone surrogates", async () => {
    const { db, pool } = await openTestStore();
    const data = { nul: "a\0b", half: "\ud83d", astral: "🚀", slash: "\\/", big: "12345678901234567890", deep: [[{}]] };
    const odd = { data, accountId: "x\0y", senderId: "\ud83d".repeat(500), recipientId: "z".repeat(10_000) };
    await ingest(testBatch("d1", [testEvent("a", odd)]), createHandling(db));
    const { rows } = await pool.query<{ text: string }>("select data::text as text from relay.events");
    expect(JSON.parse(rows[0]?.text ?? "")).toEqual(data);
  });

  test("twenty batches at once, with common events in any order, neither deadlock nor store or handle an event twice", async () => {
    const { db, pool } = await openTestStore();
    const seen: string[] = [];
    const options = createHandling(db, ({ key }) => void seen.push(key));
    const mids = Array.from({ length: 40 }, (_, index) => `m${String(index).padStart(2, "0")}`);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const turned = [...mids.slice(index), ...mids.slice(0, index)];
        const ordered = index % 2 === 0 ? turned : turned.toReversed();
        const events = ordered.map((mid) => testEvent(mid, { senderId: mid }));
        return ingest(testBatch(`d${index}`, events), options);
      }),
    );
    expect(results.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(40);
    expect(results.every(({ inserted, duplicates }) => inserted + duplicates === 40)).toBe(true);
    expect(await readKeys(pool, "handled")).toHaveLength(40);
    expect(seen.toSorted()).toEqual(mids.map((mid) => `message:1:${mid}`));
  });

  test("throws STORE_UNAVAILABLE while the database is down, so that QStash delivers again", async () => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    await expect(ingest(testBatch("d1", [testEvent("a")]), createHandling(db))).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      status: 503,
    });
    await close();
  });

  test.each([
    ["one event", 1, 0],
    ["a hundred", 100, 0],
    ["a hundred of which half fail", 100, 50],
  ])("%s: two statements, one to store and one to settle", async (_name, events, failing) => {
    const { db, pool } = await openTestStore();
    const statements = countStatements(pool);
    const options = createHandling(db, ({ key }) => {
      if (Number(key.split(":").at(-1)) < failing) throw new Error("x");
    });
    const batch = Array.from({ length: events }, (_, index) => testEvent(String(index), { senderId: `u${index}` }));
    const { handlers } = await ingest(testBatch("d1", batch), options);
    expect(handlers).toMatchObject({ handled: events - failing, failed: failing });
    expect(statements()).toBe(2);
  });

  test("logs one line of the storing and one of the handlers, without a customer's words", async () => {
    const { db } = await openTestStore();
    const options = createHandling(db, () => {
      throw new Error("the customer's words");
    });
    await ingest(testBatch("d1", [testEvent("a")]), options);
    const lines = options.recording.lines.filter(({ level }) => level === "info");
    expect(lines.map(({ event }) => event)).toEqual(["ingestion.committed", "handlers.finished"]);
    expect(lines[1]).toMatchObject({ handled: 0, failed: 1 });
    expect(options.recording.of("handler.failed")).toHaveLength(1);
    expect(JSON.stringify(options.recording.lines)).not.toContain("customer");
  });
});

function countStatements(pool: Pool): () => number {
  let count = 0;
  pool.on("connect", (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      count += 1;
      return query(...args);
    }) as typeof client.query;
  });
  return () => count;
}
