/** Behind a pooler in transaction mode, whose one connection to the server shows whatever a session leaves behind. */
import { sql } from "drizzle-orm";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";

import { openDatabase, openReads } from "#store/connection/database.ts";
import { withStoreErrors } from "#store/connection/store-error.ts";
import { inTransaction } from "#store/connection/transaction.ts";
import { settleEvents } from "#store/handling/settle-events.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";
import { migrateStore } from "#store/migrate.ts";

import { hasPgBouncer, type PgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { createMigratedDatabase, createTestDatabase } from "../support/postgres.ts";
import { ended, settlement } from "../support/settle.ts";
import { testBatch, testEvent, toStore } from "../support/store.ts";

const settings = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];

describe.skipIf(!hasPgBouncer)("through PgBouncer in transaction mode", () => {
  let pooler: PgBouncer;
  beforeAll(async () => {
    pooler = await startPgBouncer({ serverUrl: inject("postgresUrl"), poolSize: 1 });
  });
  afterAll(() => pooler.stop());

  /** An address through the pooler to a migrated database. */
  async function openPooled(): Promise<string> {
    const { url, drop } = await createTestDatabase();
    onTestFinished(drop);
    const pooled = pooler.through(url);
    await Promise.all([migrateStore(pooled), migrateStore(pooled), migrateStore(pooled)]);
    return pooled;
  }

  test("migrations leave no lock behind: they can be run again, several at once", async () => {
    const url = await openPooled();
    await migrateStore(url);
    const { rows } = await query(
      url,
      "select count(*)::int as held from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
    );
    expect(rows).toEqual([{ held: 0 }]);
  });

  test("deliveries are stored and settled once, several at once, though it mixes prepared statements up", async () => {
    const mixing = await startPgBouncer({ serverUrl: inject("postgresUrl"), poolSize: 3 });
    onTestFinished(mixing.stop);
    const { url, drop } = await createMigratedDatabase();
    onTestFinished(drop);
    const { db, close } = openDatabase(mixing.through(url), { connectionsMax: 10 });
    onTestFinished(close);
    let inserted = 0;
    for (let round = 0; round < 4; round++) {
      const calls = Array.from({ length: 10 }, async (_, index) => {
        const batch = testBatch(`d${round}-${index}`, [testEvent(`m${round}-${index % 5}`)]);
        const stored = await storeBatch(db, toStore(batch));
        await settleEvents(db, settlement(ended(stored.leased, "handled")));
        inserted += stored.inserted;
      });
      await Promise.all(calls);
    }
    expect(inserted).toBe(20);
    const { rows } = await query(
      url,
      `select count(*)::int as events, (select count(*)::int from relay.event_work) as work,
      (select count(handled_at)::int from relay.deliveries) as handled from relay.events`,
    );
    expect(rows).toEqual([{ events: 20, work: 0, handled: 40 }]);
  });

  test("the limits of a statement hold and do not reach other clients", async () => {
    const url = await openPooled();
    const before = await readSettings(url);
    const [store, reads] = [openDatabase(url), openReads(url)];
    onTestFinished(async () => void (await Promise.all([store.close(), reads.close()])));
    const limited = await inTransaction(store.db, (tx) => tx.execute(sql`select current_setting('statement_timeout')`));
    expect(limited.rows).toEqual([{ current_setting: "6s" }]);
    const read = await reads.db.execute(sql`select current_setting('statement_timeout')`);
    expect(read.rows).toEqual([{ current_setting: "5s" }]);
    const writing = withStoreErrors(() => reads.db.execute(sql`delete from relay.events`));
    await expect(writing).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await readSettings(url)).toEqual(before);
  });
});

async function readSettings(url: string) {
  const { rows } = await query(url, "select name, setting from pg_settings where name = any($1) order by name", [
    settings,
  ]);
  return rows;
}

async function query(url: string, text: string, values: unknown[] = []) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}
