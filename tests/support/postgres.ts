import { inject } from "vitest";

import { createDatabase, type TestDatabase } from "./database.ts";
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

/** The same with the migrations of the store, or of another schema, applied. */
export async function createMigratedDatabase(schema: TemplateSchema = "store"): Promise<TestDatabase> {
  return createDatabase(inject("postgresUrl"), schema, inject("templates")[schema]);
}
