import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client } from "pg";

import { openEmbeddedPostgres } from "#local/embedded-postgres.ts";

import { createDatabase } from "../support/database.ts";

/** An embedded Postgres for a section of the bench alone, with Postgres's default settings. */
export interface BenchPostgres {
  pid: number;
  /** Creates a database; its address. */
  create(prefix: string): Promise<string>;
  /** A connection of a superuser; it ends with the server. */
  connect(url?: string): Promise<Client>;
  remove(): Promise<void>;
}

export async function openBenchPostgres(): Promise<BenchPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "relay-bench-store-"));
  // As root, Postgres runs as another user, who has to pass through.
  chmodSync(folder, 0o711);
  const password = randomBytes(16).toString("hex");
  const postgres = await openEmbeddedPostgres({ dataDir: join(folder, "postgres"), password });
  const serverUrl = postgres.url("postgres");
  const clients: Client[] = [];
  const abandon = () => {
    process.kill(postgres.pid, "SIGQUIT");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", abandon);
  return {
    pid: postgres.pid,
    create: async (prefix) => (await createDatabase(serverUrl, prefix)).url,
    async connect(url = serverUrl) {
      const client = new Client({ connectionString: url });
      await client.connect();
      clients.push(client);
      return client;
    },
    async remove() {
      for (const client of clients) await client.end();
      process.off("exit", abandon);
      await postgres.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Bytes of all tables with their indexes. */
export async function readTablesBytes(client: Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    `select sum(pg_total_relation_size(c.oid))::text as bytes from pg_class c join pg_namespace n on n.oid = relnamespace
      where relkind = 'r' and nspname in ('public', 'relay')`,
  );
  return Number(rows[0]?.bytes ?? 0);
}

/** Bytes of the write-ahead log so far, of all databases. */
export async function readWalBytes(client: Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text as bytes",
  );
  return Number(rows[0]?.bytes ?? 0);
}
