import { Pool } from "pg";

import { systemClock } from "#platform/clock.ts";
import { explicitTls } from "#platform/explicit-tls.ts";
import { describeCause, type Log } from "#platform/log.ts";

import { waitForConnections } from "./patient-connect.ts";
import { breaksConnection } from "./store-error.ts";

/**
 * How long to wait for a connection, free or new. A database that is suspended while idle may need some seconds to
 * start: https://neon.com/docs/connect/connection-latency
 */
const connectTimeoutMs = 8_000;

/** So short that a change of the address's DNS record, or of a pooler's server, reaches every connection soon. */
const lifetimeSeconds = 600;

export interface PoolOptions {
  connectionsMax: number;
  /** The client's own limit for an answer: a server that has vanished enforces no statement_timeout. */
  answerTimeoutMs: number;
  /**
   * Receives the pool, so that a platform which freezes idle functions can close idle connections first
   * (`attachDatabasePool` of @vercel/functions).
   */
  attach: (pool: Pool) => void;
  log: Log | undefined;
}

/**
 * A pool of connections to Postgres; connects on first use. A connection that gave no answer, or an error that leaves its
 * state unknown, is discarded with all idle ones: a failover breaks them together, and each would cost one more request
 * the same wait.
 */
export function openPool(databaseUrl: string, { connectionsMax, answerTimeoutMs, attach, log }: PoolOptions): Pool {
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
  // An idle connection that breaks is replaced on next use. Without a listener the event would end the process.
  pool.on("error", (error) => log?.warn("store.connection_broken", describeCause(error)));
  // A broken connection in use is reported by its query.
  pool.on("connect", (client) => client.on("error", () => {}));
  pool.on("release", (error: unknown) => {
    if (error instanceof Error && breaksConnection(error)) shedIdle(pool);
  });
  waitForConnections(pool, connectTimeoutMs, systemClock);
  attach(pool);
  return pool;
}

function shedIdle(pool: Pool): void {
  for (let left = pool.idleCount; left > 0; left--) {
    pool.connect((_error, client, release) => {
      // A server that has gone silent would never answer an orderly end.
      client?.connection.stream.destroy();
      release(true);
    });
  }
}
