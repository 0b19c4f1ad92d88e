import { fileURLToPath } from "node:url";

import { type MigrationMeta, readMigrationFiles } from "drizzle-orm/migrator";
import { Client, DatabaseError } from "pg";

import { type Clock, sleep, systemClock } from "#platform/clock.ts";
import { explicitTls } from "#platform/explicit-tls.ts";

/** The key of the advisory lock that keeps two migrators of one database apart; an arbitrary constant. */
const migrationLock = 7_340_118;

/** Where drizzle's own migrator notes applied migrations, each by the time at which it was written. */
const journalSchema = "drizzle";
const journalTable = "__drizzle_migrations";
const journal = `${journalSchema}.${journalTable}`;

/**
 * While a migration waits for a table's lock, every later statement on that table waits behind it. So it gives up soon,
 * lets the others pass and tries again. https://www.postgresql.org/docs/current/explicit-locking.html
 */
const lockTimeoutMs = 2_000;
const lockPauseMs = 1_000;
const attemptsMax = 10;

/** This database cannot be migrated as it is; the message is a sentence for the operator. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/**
 * Brings the database's schema up to date. Idempotent, and safe to call from several processes at once; if nothing is to
 * be done, a role without the right to create anything suffices. Everything is one transaction, which also works through
 * a pooler in transaction mode. Throws `MigrationError` if the database has foreign tables with our names, and the
 * driver's error if the database cannot be used.
 */
export async function migrateStore(databaseUrl: string, clock: Clock = systemClock): Promise<void> {
  const migrationsFolder = fileURLToPath(new URL("./migrations", import.meta.url));
  const migrations = readMigrationFiles({ migrationsFolder });
  const client = new Client({ connectionString: explicitTls(databaseUrl), connectionTimeoutMillis: 8_000 });
  // Without a listener, a connection that breaks between two statements would end the process.
  client.on("error", () => {});
  await client.connect();
  try {
    for (let attempt = 1; ; attempt++) {
      if ((await findPending(client, migrations)).length === 0) return;
      try {
        await migrateOnce(client, migrations);
        return;
      } catch (thrown) {
        await client.query("rollback").catch(() => {});
        if (attempt === attemptsMax || !isLockTimeout(thrown)) throw thrown;
        await sleep(clock, lockPauseMs);
      }
    }
  } finally {
    await client.end();
  }
}

async function migrateOnce(client: Client, migrations: MigrationMeta[]): Promise<void> {
  // The role's own limit is too short for migrating a large table.
  await client.query("begin; set local statement_timeout = 0");
  await client.query("select pg_advisory_xact_lock($1)", [migrationLock]);
  await client.query(`set local lock_timeout = ${lockTimeoutMs}`);
  // Another migrator may have applied them meanwhile.
  const pending = await findPending(client, migrations);
  await refuseForeignTables(client, pending);
  if (pending.length === migrations.length) await createJournal(client);
  for (const { sql, hash, folderMillis } of pending) {
    for (const statement of sql) await client.query(statement);
    await client.query(`insert into ${journal} (hash, created_at) values ($1, $2)`, [hash, folderMillis]);
  }
  await client.query("commit");
}

/** Migrations without a note. The newest note is not enough: another application may use drizzle's journal, too. */
async function findPending(client: Client, migrations: MigrationMeta[]): Promise<MigrationMeta[]> {
  if (!(await hasJournal(client))) return migrations;
  const made = migrations.map(({ folderMillis }) => folderMillis);
  const { rows } = await client.query<{ made: string }>(
    `select created_at::text as made from ${journal} where created_at = any($1::bigint[])`,
    [made],
  );
  const done = new Set(rows.map((row) => Number(row.made)));
  return migrations.filter(({ folderMillis }) => !done.has(folderMillis));
}

async function createJournal(client: Client): Promise<void> {
  // Without a right to create schemas even `if not exists` fails.
  const { rowCount } = await client.query("select from pg_namespace where nspname = $1", [journalSchema]);
  if (rowCount === 0) await client.query(`create schema ${journalSchema}`);
  await client.query(
    `create table if not exists ${journal} (id serial primary key, hash text not null, created_at bigint)`,
  );
}

async function refuseForeignTables(client: Client, pending: MigrationMeta[]): Promise<void> {
  const created = pending.flatMap(({ sql }) =>
    sql.flatMap((text) => /^\s*create table "(\w+)"/i.exec(text)?.[1] ?? []),
  );
  const { rows } = await client.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = current_schema()::regnamespace and relname = any($1) order by 1",
    [created],
  );
  if (rows.length === 0) return;
  const names = rows.map(({ name }) => name).join(", ");
  throw new MigrationError(
    `it already has tables of these names that the relay has not made: ${names}. Give the relay a database of its own`,
  );
}

/** By a query of the catalog: `to_regclass` may answer from a cache older than another migrator's commit. */
async function hasJournal(client: Client): Promise<boolean> {
  const { rowCount } = await client.query(
    "select from pg_class join pg_namespace n on n.oid = relnamespace where nspname = $1 and relname = $2",
    [journalSchema, journalTable],
  );
  return rowCount !== 0;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: lock_not_available */
function isLockTimeout(thrown: unknown): boolean {
  return thrown instanceof DatabaseError && thrown.code === "55P03";
}
