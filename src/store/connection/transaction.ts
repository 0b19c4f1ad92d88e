import { NodePgSession, NodePgTransaction } from "drizzle-orm/node-postgres";
import { PgDialect } from "drizzle-orm/pg-core";
import type { Pool, PoolClient } from "pg";

import { breaksConnection, storeUnavailable } from "./store-error.ts";

export type Transaction = NodePgTransaction<Record<string, never>, Record<string, never>>;

/** The server's limit for one statement of a transaction. */
export const statementTimeoutMs = 6_000;
/** The limit for waiting for a lock; shorter, so that the error tells the two apart. */
const lockTimeoutMs = 4_000;
/** The limit between two statements: a process that is frozen must not hold its locks. */
const idleTimeoutMs = 10_000;

/** The client's limit for BEGIN and ROLLBACK, which cost the server nothing: without an answer the connection is dead. */
const signalTimeoutMs = 3_000;

/** A failed BEGIN has changed nothing, so another connection may be tried. */
const beginAttempts = 2;

const dialect = new PgDialect();
const begin = beginWith("begin", statementTimeoutMs);

/**
 * Runs `work` in one transaction: committed when the promise resolves, rolled back when it rejects. Replaces drizzle's
 * `transaction`, which never releases a connection whose BEGIN failed, and puts one back whose state is unknown. Throws
 * `STORE_UNAVAILABLE` if there is no connection on which a transaction can begin.
 */
export async function inTransaction<T>(
  { $client }: { $client: Pool },
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  return transact($client, begin, (client) =>
    work(new NodePgTransaction(dialect, new NodePgSession(client, dialect, undefined), undefined)),
  );
}

/**
 * The statement that begins a transaction with its own limits, in one round trip. A pooler in transaction mode passes no
 * other limits on.
 */
export function beginWith(statement: "begin" | "begin read only", timeoutMs: number): string {
  const limits = {
    statement_timeout: timeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleTimeoutMs,
    // A read's plan has many parts, of which few run: to compile them all can take four times as long as to run it.
    ...(statement === "begin read only" ? { jit: "off" } : {}),
  };
  return [statement, ...Object.entries(limits).map(([name, ms]) => `set local ${name} = ${ms}`)].join("; ");
}

/** `inTransaction` without drizzle; `beginText` is the result of `beginWith`. */
export async function transact<T>(pool: Pool, beginText: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await beginOn(pool, beginText);
  let broken: Error | undefined;
  try {
    const result = await work(client);
    // If `work` ignored a statement's error, Postgres answers COMMIT with ROLLBACK and no error.
    const { command } = await client.query("commit");
    if (command !== "COMMIT") throw new Error(`Postgres answered COMMIT with ${command}`);
    return result;
  } catch (thrown) {
    broken = await rollBack(client, thrown);
    throw thrown;
  } finally {
    client.release(broken);
  }
}

async function beginOn(pool: Pool, text: string): Promise<PoolClient> {
  for (let attempt = 1; ; attempt++) {
    try {
      const client = await pool.connect();
      try {
        const query = { text, query_timeout: signalTimeoutMs };
        await client.query(query);
        return client;
      } catch (thrown) {
        client.release(toError(thrown));
        if (attempt < beginAttempts && breaksConnection(thrown)) continue;
        throw thrown;
      }
    } catch (thrown) {
      throw storeUnavailable(thrown);
    }
  }
}

/** Why the connection must not be used again; undefined if Postgres itself says that no transaction is open on it. */
async function rollBack(client: PoolClient, thrown: unknown): Promise<Error | undefined> {
  if (breaksConnection(thrown)) return toError(thrown);
  try {
    const query = { text: "rollback", query_timeout: signalTimeoutMs };
    await client.query(query);
  } catch (error) {
    return toError(error);
  }
  return client.getTransactionStatus() === "I" ? undefined : toError(thrown);
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
