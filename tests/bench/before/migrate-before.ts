import { fileURLToPath } from "node:url";

import { readMigrationFiles } from "drizzle-orm/migrator";
import { Client } from "pg";

/** Gives an empty database the previous release's tables and its journal of migrations, as that release left them. */
export async function migrateBefore(databaseUrl: string): Promise<void> {
  const migrationsFolder = fileURLToPath(new URL("../../../src/store/migrations/before-relay", import.meta.url));
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query("begin");
    await client.query("create schema drizzle");
    await client.query(
      "create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)",
    );
    for (const { sql, hash, folderMillis } of readMigrationFiles({ migrationsFolder })) {
      for (const statement of sql) await client.query(statement);
      await client.query("insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)", [
        hash,
        folderMillis,
      ]);
    }
    await client.query("commit");
  } finally {
    await client.end();
  }
}
