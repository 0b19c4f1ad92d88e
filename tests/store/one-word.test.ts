/** The migration 0007, on a database that the release before it has filled, while instances of that release still run. */
import { fileURLToPath } from "node:url";

import { readMigrationFiles } from "drizzle-orm/migrator";
import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { readDelivery } from "#dashboard/read-delivery.ts";
import { parseEventFilter, readEvents } from "#dashboard/read-events.ts";
import { systemClock } from "#platform/clock.ts";
import { openDatabase } from "#store/database.ts";
import { migrateStore } from "#store/migrate.ts";
import { deliveryBatches, events } from "#store/schema.ts";
import { storeBatch } from "#store/store-batch.ts";

import { createTestDatabase } from "../support/postgres.ts";
import { createRestrictedRole } from "../support/restricted-role.ts";
import { testBatch, testEvent, toStore } from "../support/store.ts";

const calledAt = "2026-01-31T12:00:00.100Z";
const committedAt = "2026-01-31T12:00:00.150Z";

/** A database with the schema of the release before this one. */
async function openPrevious() {
  const { url, drop } = await createTestDatabase();
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(async () => {
    await client.end();
    await drop();
  });
  const migrationsFolder = fileURLToPath(new URL("../../src/store/migrations", import.meta.url));
  await client.query(
    "create schema drizzle; create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)",
  );
  for (const { sql, hash, folderMillis } of readMigrationFiles({ migrationsFolder }).slice(0, 7)) {
    for (const statement of sql) await client.query(statement);
    await client.query("insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)", [
      hash,
      folderMillis,
    ]);
  }
  return { url, client };
}

/** Stores a delivery of one event by the statements of the release before this one. */
async function ingestAsBefore(client: Client, id: string, chunk = 0, chunks = 1): Promise<void> {
  await client.query(
    `insert into deliveries (id, runtime, region, cold_start, probe, received_at, body_bytes, outcome)
     values ($1, 'edge', null, false, false, $2, 100, null) on conflict do nothing`,
    [id, calledAt],
  );
  await client.query(
    `insert into events (id, key, kind, account_id, sender_id, recipient_id, occurred_at, sent_at, standby, test, drifted,
       data, delivery_id, ingested_at, handled_at, leased_until, handler_attempts, handler_error, erased_at)
     values (default, $1, 'message', '1', null, null, null, null, false, false, false, '{}', $2, $3, default, default,
       default, default, default) on conflict (key) do nothing`,
    [`message:1:${id}`, id, calledAt],
  );
  await client.query(
    `insert into delivery_chunks (delivery_id, chunk, chunks, inserted, duplicates, delivered_at, ingested_at, ingest_ms,
       handled_at) values ($1, $2, $3, 1, 0, $4, $5, 50, default) on conflict do nothing`,
    [id, chunk, chunks, calledAt, committedAt],
  );
}

test("every row is found again under the names that say what it holds", async () => {
  const { url, client } = await openPrevious();
  await ingestAsBefore(client, "d1");
  await ingestAsBefore(client, "d2", 1, 3);
  await migrateStore(url);
  const { db, close } = openDatabase(url);
  onTestFinished(close);

  expect(await db.select().from(deliveryBatches).orderBy(deliveryBatches.deliveryId)).toMatchObject([
    { deliveryId: "d1", batchIndex: 0, batches: 1, inserted: 1, ingestMs: 50, ingestedAt: new Date(committedAt) },
    { deliveryId: "d2", batchIndex: 1, batches: 3, deliveredAt: new Date(calledAt) },
  ]);
  // Their time of ingestion was never stored.
  expect(await db.select().from(events).orderBy(events.id)).toMatchObject([
    { key: "message:1:d1", deliveredAt: new Date(calledAt), ingestedAt: null },
    { key: "message:1:d2", deliveredAt: new Date(calledAt), ingestedAt: null },
  ]);
  const within = parseEventFilter(new URLSearchParams({ from: calledAt, to: committedAt }));
  expect((await readEvents(db, within)).events).toMatchObject([{ ingestedAt: calledAt }, { ingestedAt: calledAt }]);
  expect((await readDelivery(db, "d1")).journey).toMatchObject({ outcome: "published", ingestedAt: committedAt });
});

test("an instance of the previous release continues to ingest, under a role that may create nothing", async () => {
  const { url, client } = await openPrevious();
  const restricted = new Client({ connectionString: await createRestrictedRole(client, url) });
  await restricted.connect();
  await migrateStore(url);
  await ingestAsBefore(restricted, "d1");
  await ingestAsBefore(restricted, "d1");
  await restricted.query("update delivery_chunks set handled_at = $1 where delivery_id = 'd1' and chunk = 0", [
    committedAt,
  ]);
  const { rows } = await restricted.query("select chunk, chunks, handled_at from delivery_chunks");
  expect(rows).toEqual([{ chunk: 0, chunks: 1, handled_at: new Date(committedAt) }]);
  await restricted.end();

  const { db, close } = openDatabase(url);
  onTestFinished(close);
  expect((await readDelivery(db, "d1")).journey).toMatchObject({ inserted: 1, handledAt: committedAt });
  // Nor does its batch come twice when QStash delivers it to an instance of this release.
  const again = testBatch("d1", [testEvent("d1")]);
  expect(await storeBatch(db, toStore(again), systemClock)).toMatchObject({ inserted: 0, duplicates: 1 });
});

test("an event has the time of the consumer's call and the time of its insertion", async () => {
  const { url } = await openPrevious();
  await migrateStore(url);
  const { db, close } = openDatabase(url);
  onTestFinished(close);
  const insertedMs = Date.parse(committedAt);
  const clock = { ...systemClock, nowMs: () => insertedMs };
  await storeBatch(db, toStore(testBatch("d1", [testEvent("a")]), Date.parse(calledAt)), clock);
  expect(await db.select().from(events)).toMatchObject([
    { deliveredAt: new Date(calledAt), ingestedAt: new Date(committedAt) },
  ]);
  const since = parseEventFilter(new URLSearchParams({ from: committedAt }));
  expect((await readEvents(db, since)).events).toMatchObject([{ ingestedAt: committedAt }]);
});
