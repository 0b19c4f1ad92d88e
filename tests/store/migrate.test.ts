import { Client } from "pg";
import { describe, expect, onTestFinished, test } from "vitest";

import { migrateDatabase } from "#cli/migrate-database.ts";
import { canWrite } from "#store/can-write.ts";
import { openDatabase } from "#store/database.ts";
import { migrateStore } from "#store/migrate.ts";

import journal from "../../src/store/migrations/meta/_journal.json" with { type: "json" };
import { eventually } from "../support/eventually.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { createRestrictedRole } from "../support/restricted-role.ts";

const never = new AbortController().signal;

/** An empty database, and a connection to it. */
async function openEmpty(): Promise<{ url: string; client: Client }> {
  const { url, drop } = await createTestDatabase();
  onTestFinished(drop);
  return { url, client: await connectTo(url) };
}

async function connectTo(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

async function countApplied(client: Client): Promise<number | undefined> {
  const { rows } = await client.query<{ count: number }>(
    "select count(*)::int as count from drizzle.__drizzle_migrations",
  );
  return rows[0]?.count;
}

test("ten migrators of one database at once all succeed, and so does a later one", async () => {
  const { url, client } = await openEmpty();
  await Promise.all(Array.from({ length: 10 }, () => migrateStore(url)));
  await migrateStore(url);
  expect(await countApplied(client)).toBe(journal.entries.length);
});

test("a migration that waits for a table lets other statements pass and tries again", async () => {
  const { url, client } = await openEmpty();
  await migrateStore(url);
  // As before the migration that added this column.
  await client.query("delete from drizzle.__drizzle_migrations where created_at = $1", [journal.entries[3]?.when]);
  await client.query("alter table events drop column leased_until");
  const reader = await connectTo(url);
  await reader.query("begin");
  await reader.query("select from events");
  const migrating = migrateStore(url);
  const waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
  const isWaiting = async () => (await client.query(waiting)).rowCount === 1;
  await eventually("the migration waits for the lock", isWaiting);
  await eventually("the migration lets others pass", async () => !(await isWaiting()));
  await reader.query("commit");
  await migrating;
  expect(await countApplied(client)).toBe(journal.entries.length);
});

test("a role that may create nothing succeeds if nothing is to be done; otherwise the error names the owner", async () => {
  const { url, client } = await openEmpty();
  await migrateStore(url);
  const restricted = await createRestrictedRole(client, url);
  await expect(migrateDatabase(restricted, never)).resolves.toBeUndefined();
  expect(await canWrite(openTestDatabase(restricted).db)).toBe(true);

  // As before the migration that created this table.
  await client.query("delete from drizzle.__drizzle_migrations where created_at = $1", [journal.entries[6]?.when]);
  await client.query("drop table spent_seals");
  await expect(migrateDatabase(restricted, never)).rejects.toThrow(
    /permission denied for schema public; let the owner of the tables migrate first/,
  );
});

describe("a database with other tables", () => {
  test("under our names is refused with their names and not changed", async () => {
    const { url, client } = await openEmpty();
    await client.query("create table events (id int); create table drift (id int)");
    await expect(migrateDatabase(url, never)).rejects.toThrow(
      "The database could not be migrated (it already has tables of these names that the relay has not made: drift, events. Give the relay a database of its own)",
    );
    const { rowCount } = await client.query("select from pg_namespace where nspname = 'drizzle'");
    expect(rowCount).toBe(0);
  });

  test("of another application that uses drizzle is migrated beside them", async () => {
    const { url, client } = await openEmpty();
    await client.query(`
      create schema drizzle;
      create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint);
      insert into drizzle.__drizzle_migrations (hash, created_at) values ('theirs', 9000000000000)`);
    await migrateStore(url);
    expect(await countApplied(client)).toBe(journal.entries.length + 1);
    await expect(client.query("select from events")).resolves.toBeDefined();
  });
});

test.each(["mysql://u:p@127.0.0.1/x", "127.0.0.1:5432", "postgres://u:p#@127.0.0.1:port/x"])(
  "the address %s is named as malformed",
  async (url) => {
    await expect(migrateDatabase(url, never)).rejects.toThrow(/^DATABASE_URL is malformed: /);
  },
);

test("a migration that fails at the address of a pooler advises to use the direct one", async () => {
  await expect(migrateDatabase("postgres://u:p@127.0.0.1:6543/x", never)).rejects.toThrow(
    /the direct address of the server/,
  );
});

function openTestDatabase(url: string) {
  const database = openDatabase(url);
  onTestFinished(() => database.close());
  return database;
}
