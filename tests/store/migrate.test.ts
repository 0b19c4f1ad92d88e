import { readdirSync } from "node:fs";

import { Client } from "pg";
import { describe, expect, onTestFinished, test } from "vitest";

import { migrateDatabase } from "#cli/migrate-database.ts";
import { canWrite } from "#store/connection/can-write.ts";
import { openDatabase } from "#store/connection/database.ts";
import { findStoreFault } from "#store/connection/find-store-fault.ts";
import { migrateStore } from "#store/migrate.ts";
import { migrationNames } from "#store/migration-names.ts";

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

async function readJournal(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>("select name from relay.migrations order by name");
  return rows.map(({ name }) => name);
}

test("the list of migrations names every file", () => {
  const files = readdirSync(new URL("../../src/store/migrations", import.meta.url)).filter((name) =>
    name.endsWith(".sql"),
  );
  expect(files.toSorted()).toEqual(migrationNames.map((name) => `${name}.sql`));
});

test("ten migrators of one database at once all succeed, and so does a later one", async () => {
  const { url, client } = await openEmpty();
  await Promise.all(Array.from({ length: 10 }, () => migrateStore(url)));
  await migrateStore(url);
  expect(await readJournal(client)).toEqual(migrationNames);
});

test("a role that may create nothing succeeds if nothing is to be done; otherwise the error names the owner", async () => {
  const { url, client } = await openEmpty();
  await migrateStore(url);
  const restricted = await createRestrictedRole(client, url);
  await expect(migrateDatabase(restricted, never)).resolves.toBeUndefined();
  const { db, pool } = openTestDatabase(restricted);
  expect(await canWrite(db)).toBe(true);
  expect(await findStoreFault(pool)).toBeNull();
  const lackedAfter = async (revoke: string) => {
    await client.query(`begin; ${revoke}; commit`);
    const { cause, isDown } = (await findStoreFault(pool)) ?? {};
    return [cause?.replace(/^The role of DATABASE_URL lacks rights on /, ""), isDown];
  };
  const role = new URL(restricted).username;
  // Figures are not needed to store.
  expect(await lackedAfter(`revoke insert on relay.region_sums from ${role}`)).toEqual(["relay.region_sums.", false]);
  expect(await lackedAfter(`revoke update on relay.deliveries from ${role}`)).toEqual([
    "relay.deliveries, relay.region_sums.",
    true,
  ]);
  expect(await lackedAfter("revoke execute on all functions in schema relay from public")).toEqual([
    expect.stringMatching(/^relay\.deliveries, relay\.ingest\(\), relay\.\w+\(\) and \d+ more\.$/),
    true,
  ]);
  expect(await lackedAfter(`revoke usage on schema relay from ${role}`)).toEqual(["the schema relay.", true]);

  await client.query("drop schema relay cascade");
  await expect(migrateDatabase(restricted, never)).rejects.toThrow(
    /permission denied for database \w+; let the owner of the tables migrate first/,
  );
});

test("a role that owns an empty schema relay and may create no other one can migrate", async () => {
  const { url, client } = await openEmpty();
  await migrateStore(url);
  const restricted = await createRestrictedRole(client, url);
  await client.query(`drop schema relay cascade; create schema relay authorization ${new URL(restricted).username}`);
  await migrateStore(restricted);
  expect(await readJournal(client)).toEqual(migrationNames);
});

describe("a database with other tables", () => {
  test("in the schema relay is refused with their names and not changed", async () => {
    const { url, client } = await openEmpty();
    await client.query("create schema relay; create table relay.events (id int); create table relay.drift (id int)");
    await expect(migrateDatabase(url, never)).rejects.toThrow(
      "The database could not be migrated (its schema relay has tables that the relay has not made: drift, events. Give the relay a database of its own)",
    );
    const { rowCount } = await client.query("select from pg_class where relname = 'event_keys'");
    expect(rowCount).toBe(0);
  });

  test("in other schemas, also under our names, is migrated beside them", async () => {
    const { url, client } = await openEmpty();
    await client.query(`
      create table events (id int);
      create schema drizzle;
      create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint);
      insert into drizzle.__drizzle_migrations (hash, created_at) values ('theirs', 9000000000000)`);
    await migrateStore(url);
    expect(await readJournal(client)).toEqual(migrationNames);
  });
});

test("a migration that has run and is not noted is named, and nothing is changed", async () => {
  const { url, client } = await openEmpty();
  await migrateStore(url);
  await client.query("delete from relay.migrations where name = '0012_alerts'");
  expect(await findStoreFault(client)).toMatchObject({ detail: "behind", isDown: false });
  await expect(migrateDatabase(url, never)).rejects.toThrow(
    'relay.migrations does not name 0012_alerts, and yet relation "deliveries_unfinished" already exists. If that migration has run, insert its name there',
  );
  await client.query("insert into relay.migrations (name) values ('0012_alerts')");
  await migrateDatabase(url, never);
  expect(await readJournal(client)).toEqual(migrationNames);
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
