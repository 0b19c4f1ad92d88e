import { randomBytes } from "node:crypto";

import { Client } from "pg";

export interface TestDatabase {
  url: string;
  /** Ends whatever is still connected, too. */
  drop(): Promise<void>;
}

/**
 * A fresh database on the server at `serverUrl`, a superuser's address: empty, or a copy of `template`. The name begins with
 * `prefix`.
 */
export async function createDatabase(serverUrl: string, prefix: string, template?: string): Promise<TestDatabase> {
  const name = `${prefix}_${randomBytes(8).toString("hex")}`;
  await runOn(serverUrl, `create database ${name}${template === undefined ? "" : ` template ${template}`}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => runOn(serverUrl, `drop database if exists ${name} with (force)`) };
}

async function runOn(serverUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
