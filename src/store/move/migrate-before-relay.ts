import { fileURLToPath } from "node:url";

import { type MigrationMeta, readMigrationFiles } from "drizzle-orm/migrator";
import type { Client } from "pg";

/** The migrations of the releases whose tables were in `public`, as drizzle's migrator made them. */
export function migrationsBefore(): MigrationMeta[] {
  return readMigrationFiles({
    migrationsFolder: fileURLToPath(new URL("../migrations/before-relay", import.meta.url)),
  });
}

/** Brings the tables of an earlier release to the last state that they had, in the transaction under way. */
export async function migrateBeforeRelay(client: Client): Promise<void> {
  const migrations = migrationsBefore();
  // Each by the time at which it was written. The newest note is not enough: another application may use the journal, too.
  const { rows } = await client.query<{ made: string }>(
    "select created_at::text as made from drizzle.__drizzle_migrations where created_at = any($1::bigint[])",
    [migrations.map(({ folderMillis }) => folderMillis)],
  );
  const done = new Set(rows.map((row) => Number(row.made)));
  const pending = migrations.filter(({ folderMillis }) => !done.has(folderMillis));
  await client.query("set local search_path = public");
  for (const { sql, hash, folderMillis } of pending) {
    for (const statement of sql) await client.query(statement);
    await client.query("insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)", [
      hash,
      folderMillis,
    ]);
  }
}
