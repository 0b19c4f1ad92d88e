import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import { type ClientBase, Pool } from "pg";

import * as schema from "./schema.ts";

export type Database = NodePgDatabase<typeof schema>;
export type Transaction = Parameters<Parameters<Database["transaction"]>[0]>[0];

/** How long to wait for a connection and for any one statement before giving up. */
const connectTimeoutMs = 5_000;
const statementTimeoutMs = 15_000;

export interface OpenDatabase {
  db: Database;
  pool: Pool;
  close(): Promise<void>;
}

/** The pool waits for the promise before it gives the connection to anybody, though its types do not say so. */
const connectionHooks = {
  // Not as a start-up parameter, which PgBouncer and the poolers of Neon and Supabase refuse.
  onConnect: async (client: ClientBase): Promise<void> => {
    await client.query(`set statement_timeout = ${statementTimeoutMs}`);
  },
};

/**
 * A pool of connections to Postgres; connects on first use. `attach` receives the pool, so that a platform which
 * freezes idle functions can close idle connections first (`attachDatabasePool` of @vercel/functions).
 */
export function openDatabase(databaseUrl: string, attach: (pool: Pool) => void = () => {}): OpenDatabase {
  const pool = new Pool({
    connectionString: databaseUrl,
    max: 10,
    idleTimeoutMillis: 10_000,
    connectionTimeoutMillis: connectTimeoutMs,
    // A server that vanished without a word answers no statement_timeout: the client must give up by itself.
    query_timeout: statementTimeoutMs + 2_000,
    ...connectionHooks,
  });
  // A connection that breaks while nobody queries it is replaced on next use; unheard, the event would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  attach(pool);
  return { db: drizzle(pool, { schema }), pool, close: () => pool.end() };
}
