import { expect, onTestFinished, test } from "vitest";

import { inTransaction, openDatabase } from "#broker/store/database.ts";

import { createTestDatabase } from "../support/postgres.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

async function openThroughProxy() {
  const { url, drop } = await createTestDatabase({ prefix: "broker" });
  const proxy = await startTcpProxy(url, 5432);
  const pool = openDatabase(proxy.url, () => {});
  onTestFinished(async () => {
    await proxy.close();
    await pool.end();
    await drop();
  });
  const work = () => inTransaction(pool, (client) => client.query("select 1"));
  await work();
  return { proxy, pool, work };
}

test("a connection that went silent is given up, and the next transaction has a new one", async () => {
  const { proxy, pool, work } = await openThroughProxy();
  proxy.freeze();
  await expect(work()).rejects.toThrow("Query read timeout");
  expect(pool.totalCount).toBe(0);
  await expect(work()).resolves.toBeDefined();
});

test("a connection that is cut at BEGIN costs no place in the pool", async () => {
  const { proxy, work } = await openThroughProxy();
  proxy.setMode("cut");
  const results = await Promise.allSettled(Array.from({ length: 30 }, work));
  expect(results.every(({ status }) => status === "rejected")).toBe(true);
  proxy.setMode("pass");
  await expect(work()).resolves.toBeDefined();
});

test("a transaction that fails leaves a connection that serves again", async () => {
  const { pool, work } = await openThroughProxy();
  await expect(inTransaction(pool, (client) => client.query("select 'x'::int"))).rejects.toThrow("invalid input");
  const passedOver = inTransaction(pool, (client) => client.query("select 'x'::int").catch(() => {}));
  await expect(passedOver).rejects.toThrow("Postgres answered COMMIT with ROLLBACK");
  await work();
  expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
});
