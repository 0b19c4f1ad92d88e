import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import type { Pool } from "pg";

import type { Log } from "#platform/log.ts";

import { openPool } from "./pool.ts";
import { beginWith, statementTimeoutMs, transact } from "./transaction.ts";

export type { Transaction } from "./transaction.ts";

/** Transactions are opened by `inTransaction` alone. */
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
  /** Broken idle connections are logged. */
  log?: Log;
}

/** How much longer than the server's limit for a statement the client waits. */
const graceMs = 1_500;

/** For pages and /api/ops. Few, so that people's reads do not slow ingestion down. */
const readConnectionsMax = 2;
const readTimeoutMs = 5_000;

/**
 * The connections for everything that writes; opens none yet. Outside a transaction only the client limits a statement: a
 * setting of the session would reach other clients of a pooler in transaction mode, and most poolers refuse it as a
 * start-up parameter. https://www.pgbouncer.org/features.html
 */
export function openDatabase(
  databaseUrl: string,
  { connectionsMax = 5, attach = () => {}, log }: DatabaseOptions = {},
): OpenDatabase {
  return open(openPool(databaseUrl, { connectionsMax, answerTimeoutMs: statementTimeoutMs + graceMs, attach, log }));
}

/**
 * Connections that can only read; opens none yet. Each statement is a transaction of its own, so that the server ends a
 * long one.
 */
export function openReads(
  databaseUrl: string,
  { attach = () => {}, log }: Omit<DatabaseOptions, "connectionsMax"> = {},
): OpenDatabase {
  const pool = openPool(databaseUrl, {
    connectionsMax: readConnectionsMax,
    answerTimeoutMs: readTimeoutMs + graceMs,
    attach,
    log,
  });
  const begin = beginWith("begin read only", readTimeoutMs);
  const query = (config: string, values?: unknown[]) => transact(pool, begin, (client) => client.query(config, values));
  // Drizzle calls this for each statement.
  pool.query = query as Pool["query"];
  return open(pool);
}

function open(pool: Pool): OpenDatabase {
  return { db: drizzle(pool), pool, close: () => pool.end() };
}
