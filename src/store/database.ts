import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import type { Pool } from "pg";

import { openPool } from "./pool.ts";
import { beginWith, statementTimeoutMs, transact } from "./transaction.ts";

export type { Transaction } from "./transaction.ts";

/** Transactions are `inTransaction`'s. */
export type Database = Omit<NodePgDatabase, "transaction"> & { $client: Pool };

export interface OpenDatabase {
  db: Database;
  pool: Pool;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  connectionsMax?: number;
  /** Receives the pool, see `openPool`. */
  attach?: (pool: Pool) => void;
}

/** What the network may add to a statement's limit before the client gives up. */
const graceMs = 1_500;

/** For pages and /api/ops. Few: what people look up must not take the database's strength from ingestion. */
const readConnectionsMax = 2;
const readTimeoutMs = 5_000;

/**
 * The connections for everything that writes. Outside a transaction only the client limits a statement: a setting of the
 * session would end up with other clients of a pooler in transaction mode, and as a start-up parameter most poolers
 * refuse it. https://www.pgbouncer.org/features.html
 */
export function openDatabase(
  databaseUrl: string,
  { connectionsMax = 5, attach = () => {} }: DatabaseOptions = {},
): OpenDatabase {
  return open(openPool(databaseUrl, { connectionsMax, answerTimeoutMs: statementTimeoutMs + graceMs, attach }));
}

/** Connections that can only read, each statement in a transaction of its own, so that the server ends a long one. */
export function openReads(
  databaseUrl: string,
  { attach = () => {} }: Pick<DatabaseOptions, "attach"> = {},
): OpenDatabase {
  const pool = openPool(databaseUrl, {
    connectionsMax: readConnectionsMax,
    answerTimeoutMs: readTimeoutMs + graceMs,
    attach,
  });
  const begin = beginWith("begin read only", readTimeoutMs);
  const query = (config: string, values?: unknown[]) => transact(pool, begin, (client) => client.query(config, values));
  // What drizzle calls for each statement.
  pool.query = query as Pool["query"];
  return open(pool);
}

function open(pool: Pool): OpenDatabase {
  return { db: drizzle(pool), pool, close: () => pool.end() };
}
