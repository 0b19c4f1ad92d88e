import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { Client, DatabaseError } from "pg";

import { type Clock, sleep, systemClock } from "#platform/clock.ts";
import { explicitTls } from "#platform/explicit-tls.ts";

import { migrationNames } from "./migration-names.ts";

/** The key of the advisory lock that keeps two migrators of one database apart; an arbitrary constant. */
const migrationLock = 7_340_118;

const schema = "relay";

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
 * Brings the schema `relay` up to date. Idempotent, and safe to call from several processes at once; if nothing is to be
 * done, a role without the right to create anything suffices. Everything is one transaction, which also works through a
 * pooler in transaction mode. Throws `MigrationError` if the schema holds tables that the relay has not made, and the
 * driver's error if the database cannot be used.
 */
export async function migrateStore(databaseUrl: string, clock: Clock = systemClock): Promise<void> {
  const client = new Client({ connectionString: explicitTls(databaseUrl), connectionTimeoutMillis: 8_000 });
  // Without a listener, a connection that breaks between two statements would end the process.
  client.on("error", () => {});
  await client.connect();
  try {
    for (let attempt = 1; ; attempt++) {
      if ((await findPending(client)).length === 0) return;
      try {
        await migrateOnce(client);
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

async function migrateOnce(client: Client): Promise<void> {
  // The role's own limit is too short for migrating a large table.
  await client.query("begin; set local statement_timeout = 0");
  await client.query("select pg_advisory_xact_lock($1)", [migrationLock]);
  await client.query(`set local lock_timeout = ${lockTimeoutMs}`);
  // Another migrator may have applied them meanwhile.
  const pending = await findPending(client);
  if (pending.length === migrationNames.length) await createSchema(client);
  await client.query(`set local search_path = ${schema}`);
  for (const name of pending) {
    await client.query(readMigration(name));
    await client.query("insert into relay.migrations (name) values ($1)", [name]);
  }
  for (const table of ["events", "deliveries", "delivery_attempts", "handler_attempts"]) {
    await client.query(`create table if not exists relay.${table}_default partition of relay.${table} default`);
  }
  await client.query("commit");
}

/** The migrations that the database's journal does not name. */
async function findPending(client: Client): Promise<string[]> {
  if (!(await hasTable(client, "migrations"))) return [...migrationNames];
  const { rows } = await client.query<{ name: string }>("select name from relay.migrations");
  const done = new Set(rows.map(({ name }) => name));
  return migrationNames.filter((name) => !done.has(name));
}

async function createSchema(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class join pg_namespace n on n.oid = relnamespace
     where nspname = $1 and relkind in ('r', 'p', 'v', 'm', 'S', 'f') order by 1`,
    [schema],
  );
  if (rows.length > 0) {
    const names = rows.map(({ name }) => name).join(", ");
    throw new MigrationError(
      `its schema ${schema} has tables that the relay has not made: ${names}. Give the relay a database of its own`,
    );
  }
  // Without a right to create schemas even `if not exists` fails.
  const { rowCount } = await client.query("select from pg_namespace where nspname = $1", [schema]);
  if (rowCount === 0) await client.query(`create schema ${schema}`);
  await client.query(
    "create table relay.migrations (name text primary key, applied_at timestamptz not null default now())",
  );
}

function readMigration(name: string): string {
  return readFileSync(fileURLToPath(new URL(`./migrations/${name}.sql`, import.meta.url)), "utf8");
}

/** By a query of the catalog: `to_regclass` may answer from a cache older than another migrator's commit. */
async function hasTable(client: Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query(
    "select from pg_class join pg_namespace n on n.oid = relnamespace where nspname = $1 and relname = $2",
    [schema, name],
  );
  return rowCount !== 0;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: lock_not_available */
function isLockTimeout(thrown: unknown): boolean {
  return thrown instanceof DatabaseError && thrown.code === "55P03";
}
