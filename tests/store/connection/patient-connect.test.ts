import { randomBytes } from "node:crypto";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { openDatabase } from "#store/connection/database.ts";

import { createTestDatabase } from "../../support/postgres.ts";

/** A database through a role that may hold so many connections, and an administrator's connection to it. */
async function openLimited(connectionsMax: number) {
  const { url, drop } = await createTestDatabase();
  const admin = new Client({ connectionString: url });
  await admin.connect();
  const role = `limited_${randomBytes(8).toString("hex")}`;
  await admin.query(`create role ${role} login password 'p' connection limit ${connectionsMax}`);
  const limited = new URL(url);
  limited.username = role;
  limited.password = "p";
  const database = openDatabase(limited.href, { connectionsMax: 10 });
  onTestFinished(async () => {
    await database.close();
    await admin.query(`drop role ${role}`);
    await admin.end();
    await drop();
  });
  return { ...database, url: limited.href };
}

test("statements beyond the connections that the server allows wait for one of them", async () => {
  const { db, pool } = await openLimited(2);
  const sleeps = Array.from({ length: 20 }, () => db.execute("select pg_sleep(0.02)"));
  expect((await Promise.allSettled(sleeps)).filter(({ status }) => status === "rejected")).toEqual([]);
  expect(pool.totalCount).toBeLessThanOrEqual(2);
});

test("a pool without a connection waits until the server has room for one", async () => {
  const { pool, url } = await openLimited(1);
  const other = new Client({ connectionString: url });
  await other.connect();
  const waiting = pool.query("select 1 as one");
  const refused = new Client({ connectionString: url });
  await expect(refused.connect()).rejects.toMatchObject({ code: "53300" });
  await other.end();
  expect((await waiting).rows).toEqual([{ one: 1 }]);
});

test("another refusal is thrown at once", async () => {
  const { url } = await openLimited(2);
  const wrong = new URL(url);
  wrong.password = "wrong";
  const database = openDatabase(wrong.href);
  onTestFinished(() => database.close());
  await expect(database.db.execute("select 1")).rejects.toMatchObject({ cause: { code: "28P01" } });
});
