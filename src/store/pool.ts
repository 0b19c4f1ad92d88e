import { Pool } from "pg";

import { explicitTls } from "#platform/explicit-tls.ts";

import { breaksConnection } from "./store-error.ts";

/**
 * How long to wait for a connection, free or new. A database that sleeps while nobody asks it anything may need some
 * seconds to wake: https://neon.com/docs/connect/connection-latency
 */
const connectTimeoutMs = 8_000;

/** Short enough that a change of the address's DNS record, or of a pooler's server, reaches every connection. */
const lifetimeSeconds = 600;

export interface PoolOptions {
  connectionsMax: number;
  /** The client gives up by itself: a server that vanished without a word answers no statement_timeout. */
  answerTimeoutMs: number;
  /**
   * Receives the pool, so that a platform which freezes idle functions can close idle connections first
   * (`attachDatabasePool` of @vercel/functions).
   */
  attach: (pool: Pool) => void;
}

/**
 * A pool of connections to Postgres; connects on first use. A connection that gave no answer, or an error that leaves its
 * state unknown, is thrown away, and so are all idle ones: a failover breaks them together, and each would cost one more
 * request the same wait.
 */
export function openPool(databaseUrl: string, { connectionsMax, answerTimeoutMs, attach }: PoolOptions): Pool {
  const pool = new Pool({
    connectionString: explicitTls(databaseUrl),
    max: connectionsMax,
    idleTimeoutMillis: 10_000,
    maxLifetimeSeconds: lifetimeSeconds,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  // A connection that breaks while nobody queries it is replaced on next use; unheard, the event would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  pool.on("release", (error: unknown) => {
    if (error instanceof Error && breaksConnection(error)) shedIdle(pool);
  });
  attach(pool);
  return pool;
}

function shedIdle(pool: Pool): void {
  for (let left = pool.idleCount; left > 0; left--) {
    pool.connect((_error, client, release) => {
      // Else the socket of a server that has gone silent would wait for its goodbye.
      client?.connection.stream.destroy();
      release(true);
    });
  }
}
