import { Client } from "pg";

import { openEmbeddedPostgres } from "#local/embedded-postgres.ts";

import { createDatabase } from "../support/database.ts";
import { openPostgresPlace } from "../support/postgres-place.ts";

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
  const place = openPostgresPlace();
  const postgres = await openEmbeddedPostgres(place.options);
  const serverUrl = postgres.url("postgres");
  const clients: Client[] = [];
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
      await postgres.remove();
      place.remove();
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
