import { Client } from "pg";
import { describe, expect, test } from "vitest";

import { openDatabase, type OpenDatabase } from "#store/connection/database.ts";
import { withStoreErrors } from "#store/connection/store-error.ts";
import { inTransaction } from "#store/connection/transaction.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";

import { eventually } from "../../support/eventually.ts";
import { createMigratedDatabase } from "../../support/postgres.ts";
import { createRecordingLog } from "../../support/recording-log.ts";
import { testBatch, testEvent, toStore } from "../../support/store.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";

const unavailable = { code: "STORE_UNAVAILABLE", status: 503 };
const poolMax = 5;

let stored = 0;

/** Stores a delivery of one new event. */
function store({ db }: OpenDatabase) {
  stored += 1;
  return storeBatch(db, toStore(testBatch(`d_${stored}`, [testEvent(`m_${stored}`)])));
}

/** As many at once as there are connections. */
const storeAll = (database: OpenDatabase) => Promise.allSettled(Array.from({ length: poolMax }, () => store(database)));

const failures = (results: PromiseSettledResult<unknown>[]) =>
  results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));

interface Broken {
  database: OpenDatabase;
  proxy: TcpProxy;
  url: string;
}

/** A store behind a proxy, all its connections open and idle. */
async function openThroughProxy(onTestFinished: (done: () => Promise<void>) => void): Promise<Broken> {
  const { url, drop } = await createMigratedDatabase();
  const proxy = await startTcpProxy(url, 5432);
  const database = openDatabase(proxy.url);
  onTestFinished(async () => {
    await proxy.close();
    await database.close();
    await drop();
  });
  expect(failures(await storeAll(database))).toEqual([]);
  return { database, proxy, url };
}

// What is silent is waited for as long as in production, and under load all the tests wait for the processor besides.
describe.concurrent("the pool heals by itself", { timeout: 60_000 }, () => {
  test("after connections that were cut at a statement", async ({ onTestFinished }) => {
    const { database, proxy } = await openThroughProxy(onTestFinished);
    proxy.setMode("cut");
    for (let round = 0; round < 4; round++) {
      const refused = failures(await storeAll(database));
      expect(refused).toHaveLength(poolMax);
      for (const reason of refused) expect(reason).toMatchObject(unavailable);
    }
    proxy.setMode("pass");
    expect(failures(await storeAll(database))).toEqual([]);
    expect(database.pool.totalCount).toBeLessThanOrEqual(poolMax);
  });

  test("after connections that went silent at a statement", async ({ onTestFinished }) => {
    const { database, proxy } = await openThroughProxy(onTestFinished);
    proxy.setMode("blackhole");
    const refused = failures(await storeAll(database));
    expect(refused).toHaveLength(poolMax);
    for (const reason of refused) expect(reason).toMatchObject(unavailable);
    proxy.setMode("pass");
    expect(failures(await storeAll(database))).toEqual([]);
  });

  test("when all open connections go silent, as at a failover: nothing fails", async ({ onTestFinished }) => {
    const { database, proxy } = await openThroughProxy(onTestFinished);
    proxy.freeze();
    // One meets the silence; the others that lie idle are given up with it.
    await store(database);
    expect(proxy.broken).toBe(poolMax);
    expect(database.pool.totalCount).toBe(1);
    expect(failures(await storeAll(database))).toEqual([]);
  });

  test("when a connection goes silent between two statements of a transaction", async ({ onTestFinished }) => {
    const { database, proxy } = await openThroughProxy(onTestFinished);
    const stuck = inTransaction(database.db, async (tx) => {
      await tx.execute("select 1");
      proxy.freeze();
      await tx.execute("select 2");
    });
    await expect(withStoreErrors(() => stuck)).rejects.toMatchObject(unavailable);
    expect(failures(await storeAll(database))).toEqual([]);
  });

  test("after a plain statement that got no answer", async ({ onTestFinished }) => {
    const { database, proxy } = await openThroughProxy(onTestFinished);
    proxy.freeze();
    await expect(database.db.execute("select 1")).rejects.toThrow("Failed query");
    expect(database.pool.totalCount).toBe(0);
    await expect(database.db.execute("select 1")).resolves.toBeDefined();
  });

  test("after idle connections that broke, which are logged", async ({ onTestFinished }) => {
    const { proxy, url } = await openThroughProxy(onTestFinished);
    const recording = createRecordingLog();
    const throughProxy = new URL(proxy.url);
    throughProxy.pathname = new URL(url).pathname;
    const database = openDatabase(throughProxy.href, { log: recording.log });
    onTestFinished(() => database.close());
    await store(database);
    await proxy.goDown();
    await eventually("the broken connection is logged", () => recording.of("store.connection_broken").length === 1);
    await proxy.comeUp();
    await expect(store(database)).resolves.toMatchObject({ inserted: 1 });
  });

  test("with a database that needs six seconds to start", async ({ onTestFinished }) => {
    const { database, proxy } = await openThroughProxy(onTestFinished);
    await proxy.goDown();
    await proxy.comeUp();
    proxy.setMode("wake");
    await expect(store(database)).resolves.toMatchObject({ inserted: 1 });
  });

  test("after a failover to a read-only server and back", async ({ onTestFinished }) => {
    const { database, url } = await openThroughProxy(onTestFinished);
    const client = new Client({ connectionString: url });
    await client.connect();
    onTestFinished(() => client.end());
    const name = new URL(url).pathname.slice(1);
    await client.query(`alter database ${name} set default_transaction_read_only = on`);
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()",
      [name],
    );
    const refused = failures(await storeAll(database));
    expect(refused).toHaveLength(poolMax);
    for (const reason of refused) expect(reason).toMatchObject(unavailable);
    // The demoted server's connections would have gone on refusing.
    expect(database.pool.totalCount).toBe(0);
    await client.query("set default_transaction_read_only = off");
    await client.query(`alter database ${name} reset default_transaction_read_only`);
    expect(failures(await storeAll(database))).toEqual([]);
  });
});
