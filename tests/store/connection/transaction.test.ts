import { sql } from "drizzle-orm";
import { expect, test } from "vitest";

import { inTransaction } from "#store/connection/transaction.ts";

import { openTestStore } from "../../support/store.ts";

test("work that resolves is committed, work that rejects is rolled back, and the connection is used again", async () => {
  const { db, pool } = await openTestStore();
  await db.execute(sql`create table notes (id int primary key)`);
  await inTransaction(db, (tx) => tx.execute(sql`insert into notes values (1)`));
  const refused = inTransaction(db, async (tx) => {
    await tx.execute(sql`insert into notes values (2)`);
    throw new Error("changed its mind");
  });
  await expect(refused).rejects.toThrow("changed its mind");
  await expect(inTransaction(db, (tx) => tx.execute(sql`insert into notes values (1)`))).rejects.toThrow(
    "Failed query",
  );
  const { rows } = await db.execute(sql`select id from notes`);
  expect(rows).toEqual([{ id: 1 }]);
  expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
});

test("work that ignores a statement's error is not committed", async () => {
  const { db } = await openTestStore();
  const work = inTransaction(db, async (tx) => {
    await tx.execute(sql`select 'x'::int`).catch(() => {});
    return "done";
  });
  await expect(work).rejects.toThrow("Postgres answered COMMIT with ROLLBACK");
});

test("rolling back to a savepoint loses only the later statements", async () => {
  const { db } = await openTestStore();
  await db.execute(sql`create table notes (id int primary key)`);
  await inTransaction(db, async (tx) => {
    await tx.execute(sql`insert into notes values (1)`);
    await tx.transaction((inner) => inner.execute(sql`insert into notes values (1)`)).catch(() => {});
    await tx.execute(sql`insert into notes values (2)`);
  });
  const { rows } = await db.execute(sql`select id from notes order by id`);
  expect(rows).toEqual([{ id: 1 }, { id: 2 }]);
});
