import { readFileSync } from "node:fs";

import { type Client, DatabaseError } from "pg";

import { migrationNames } from "./migration-names.ts";
import { MigrationError } from "./migration-transaction.ts";
import { ensurePartitions } from "./retention/partitions.ts";

/** The migrations that the database's journal does not name. */
export async function findPending(client: Client): Promise<string[]> {
  if (!(await hasTable(client, "relay", "migrations"))) return [...migrationNames];
  const { rows } = await client.query<{ name: string }>("select name from relay.migrations");
  const done = new Set(rows.map(({ name }) => name));
  return migrationNames.filter((name) => !done.has(name));
}

/**
 * Runs the pending migrations, in the transaction under way, and makes the partitions for now. Makes the schema where it
 * is missing. Throws `MigrationError` if it has tables that the relay has not made.
 */
export async function applyMigrations(client: Client, nowMs: number): Promise<void> {
  // Another migrator may have applied them meanwhile.
  const pending = await findPending(client);
  if (pending.length === 0) return;
  if (pending.length === migrationNames.length) await createSchema(client);
  await client.query("set local search_path = relay");
  for (const name of pending) {
    await client.query(readMigration(name)).catch((thrown: unknown) => {
      throw isThereAlready(thrown) ? notNoted(name, thrown) : thrown;
    });
    await client.query("insert into relay.migrations (name) values ($1)", [name]);
  }
  await ensurePartitions(client, nowMs);
}

function readMigration(name: string): string {
  return readFileSync(new URL(`./migrations/${name}.sql`, import.meta.url), "utf8");
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: duplicate table, column, function, object */
function isThereAlready(thrown: unknown): thrown is DatabaseError {
  return thrown instanceof DatabaseError && /^(42P07|42701|42723|42710)$/.test(thrown.code ?? "");
}

function notNoted(name: string, { message }: DatabaseError): MigrationError {
  return new MigrationError(
    `relay.migrations does not name ${name}, and yet ${message}. If that migration has run, insert its name there`,
  );
}

async function createSchema(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class join pg_namespace n on n.oid = relnamespace
     where nspname = 'relay' and relkind in ('r', 'p', 'v', 'm', 'S', 'f') order by 1`,
  );
  if (rows.length > 0) {
    const names = rows.map(({ name }) => name).join(", ");
    throw new MigrationError(
      `its schema relay has tables that the relay has not made: ${names}. Give the relay a database of its own`,
    );
  }
  // Without a right to create schemas even `if not exists` fails.
  if (!(await hasSchema(client, "relay"))) await client.query("create schema relay");
  await client.query(
    "create table relay.migrations (name text primary key, applied_at timestamptz not null default now())",
  );
}

/** By a query of the catalog: `to_regclass` may answer from a cache older than another migrator's commit. */
export async function hasTable(client: Client, schema: string, name: string): Promise<boolean> {
  const { rowCount } = await client.query(
    "select from pg_class join pg_namespace n on n.oid = relnamespace where nspname = $1 and relname = $2",
    [schema, name],
  );
  return rowCount !== 0;
}

/** Likewise by a query of the catalog. */
export async function hasSchema(client: Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query("select from pg_namespace where nspname = $1", [name]);
  return rowCount !== 0;
}
