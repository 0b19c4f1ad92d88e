import { sql } from "drizzle-orm";
import { DatabaseError } from "pg";
import { describe, expect, test } from "vitest";

import { openDatabase } from "#store/database.ts";
import { isDataRefused, isStoreUnavailable, withStoreErrors } from "#store/store-error.ts";

import { openTestStore } from "../support/store.ts";

const unavailable = { code: "STORE_UNAVAILABLE", status: 503 };

describe("withStoreErrors()", () => {
  test("knows a database that is away, from a query and from a transaction", async () => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    await expect(withStoreErrors(() => db.execute(sql`select 1`))).rejects.toMatchObject(unavailable);
    await expect(withStoreErrors(() => db.transaction((tx) => tx.execute(sql`select 1`)))).rejects.toMatchObject(
      unavailable,
    );
    await close();
  });

  test("knows a connection that breaks under a query, and the next query gets a new one", async () => {
    const { db } = await openTestStore();
    await expect(
      withStoreErrors(() => db.execute(sql`select pg_terminate_backend(pg_backend_pid())`)),
    ).rejects.toMatchObject(unavailable);
    await expect(withStoreErrors(() => db.execute(sql`select 1`))).resolves.toBeDefined();
  });

  test("survives a connection that breaks while a transaction waits for something else", async () => {
    const { db } = await openTestStore();
    const broken = withStoreErrors(() =>
      db.transaction(async (tx) => {
        const { rows } = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
        await db.execute(sql`select pg_terminate_backend(${rows[0]?.pid}::int, 5000)`);
        // Unheard, the connection's own error would have ended the process by now.
        await new Promise((resolve) => setImmediate(resolve));
        await tx.execute(sql`select 1`);
      }),
    );
    await expect(broken).rejects.toMatchObject(unavailable);
    await expect(withStoreErrors(() => db.execute(sql`select 1`))).resolves.toBeDefined();
  });

  test("knows a wrong password, a missing database and a missing table", async () => {
    const { url, db } = await openTestStore();
    const other = (change: (changed: URL) => void) => {
      const changed = new URL(url);
      change(changed);
      return openDatabase(changed.href);
    };
    const wrong = [
      other((changed) => {
        changed.password = "wrong";
      }),
      other((changed) => {
        changed.pathname = "/no_such_database";
      }),
    ];
    for (const database of wrong) {
      await expect(withStoreErrors(() => database.db.execute(sql`select 1`))).rejects.toMatchObject(unavailable);
      await database.close();
    }
    await expect(withStoreErrors(() => db.execute(sql`select 1 from no_such_table`))).rejects.toMatchObject(
      unavailable,
    );
  });

  test("leaves a wrong query what it is", async () => {
    const { db } = await openTestStore();
    await expect(withStoreErrors(() => db.execute(sql`select 'x'::int`))).rejects.not.toMatchObject(unavailable);
  });
});

describe("isDataRefused()", () => {
  test("knows what is wrong with a value, which is no reason to come again later", async () => {
    const { db } = await openTestStore();
    const refused = [
      sql`select 'soon'::timestamptz`,
      sql`select '+010000-01-01T00:00:00Z'::timestamptz`,
      sql`select ${"a\0b"}::text`,
      sql`select 2147483648::bigint::int`,
      sql`select ${"[".repeat(100_000)}::json`,
      sql`select repeat('x', 2147483647)`,
    ];
    for (const [index, query] of refused.entries()) {
      const thrown: unknown = await db.execute(query).catch((error: unknown) => error);
      expect([index, isDataRefused(thrown), isStoreUnavailable(thrown)]).toEqual([index, true, false]);
    }
  });

  test("knows a value too large for the server's memory, whose code is that of an internal error", () => {
    const error = new DatabaseError("invalid memory alloc request size 1073741824", 100, "error");
    error.code = "XX000";
    expect([isDataRefused(error), isStoreUnavailable(error)]).toEqual([true, false]);
  });

  test("does not take a database that is away for one, nor a statement that is wrong", async () => {
    const { db } = await openTestStore();
    for (const query of [sql`select pg_terminate_backend(pg_backend_pid())`, sql`select nothing`]) {
      expect(isDataRefused(await db.execute(query).catch((error: unknown) => error))).toBe(false);
    }
    for (const thrown of [new RangeError("x"), null, "x"]) expect(isDataRefused(thrown)).toBe(false);
  });
});
