import { randomBytes } from "node:crypto";

import { Client } from "pg";
import { inject } from "vitest";

export interface TestDatabase {
  url: string;
  /** Ends whatever is still connected, too. */
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** The start of its name, to recognise it by; the rest is random. */
  prefix?: string;
}

/** A fresh, empty database of its own on the run's Postgres. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const name = `${options.prefix ?? "test"}_${randomBytes(8).toString("hex")}`;
  await runOnServer(`create database ${name}`);
  const url = new URL(inject("postgresUrl"));
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => runOnServer(`drop database if exists ${name} with (force)`) };
}

async function runOnServer(statement: string): Promise<void> {
  const client = new Client({ connectionString: inject("postgresUrl") });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
