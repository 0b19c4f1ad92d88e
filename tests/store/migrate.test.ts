import { readFileSync } from "node:fs";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { migrateStore } from "#store/migrate.ts";

import { createTestDatabase } from "../support/postgres.ts";

test("ten migrators of one database at once do not get into each other's way, nor does another afterwards", async () => {
  const { url, drop } = await createTestDatabase();
  onTestFinished(drop);
  await Promise.all(Array.from({ length: 10 }, () => migrateStore(url)));
  await migrateStore(url);
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ count: number }>(
    "select count(*)::int as count from drizzle.__drizzle_migrations",
  );
  await client.end();
  const journal = readFileSync(new URL("../../src/store/migrations/meta/_journal.json", import.meta.url), "utf8");
  expect(rows[0]?.count).toBe((JSON.parse(journal) as { entries: unknown[] }).entries.length);
});
