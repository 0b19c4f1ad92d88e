import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";

import { openDatabase } from "#store/database.ts";
import { withStoreErrors } from "#store/store-error.ts";

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
