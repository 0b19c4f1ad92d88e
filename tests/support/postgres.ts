import { inject } from "vitest";

import { createDatabase, type TestDatabase } from "./database.ts";
import { emptyDatabase } from "./reusable-database.ts";
import type { TemplateSchema } from "./templates.ts";

export type { TestDatabase } from "./database.ts";

export interface TestDatabaseOptions {
  /** The start of its name, to recognise it by; the rest is random. */
  prefix?: string;
}

/** A fresh, empty database of its own on the run's Postgres. */
export async function createTestDatabase({ prefix = "test" }: TestDatabaseOptions = {}): Promise<TestDatabase> {
  return createDatabase(inject("postgresUrl"), prefix);
}

/** Databases that tests have given back to this worker. */
const spare: Record<TemplateSchema, TestDatabase[]> = { store: [], broker: [], before: [] };

/** A pooler holds connections of its own, which emptying a database ends. */
const isReused = process.env["TEST_POOLER"] === undefined;

/**
 * A database with the migrations of the store, or of another schema, applied and without rows. `drop` empties it for the
 * next test, unless the test has changed more than rows.
 */
export async function createMigratedDatabase(schema: TemplateSchema = "store"): Promise<TestDatabase> {
  const template = inject("templates")[schema];
  const database =
    spare[schema].pop() ?? (await createDatabase(inject("postgresUrl"), `copy_${schema}`, template.name));
  return {
    url: database.url,
    async drop() {
      if (isReused && (await emptyDatabase(database.url, template))) spare[schema].push(database);
      else await database.drop();
    },
  };
}
