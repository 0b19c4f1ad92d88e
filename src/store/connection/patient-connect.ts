import { DatabaseError, type Pool, type PoolClient } from "pg";

import { type Clock, settleWithin, sleep } from "#platform/clock.ts";

/** How long a pool asks for no more connections than it has, after the server refused one. */
const limitedMs = 5_000;
/** How long to wait where the pool has no connection that could become free. */
const pauseMs = 200;

/**
 * Makes `pool.connect`, which the pool's queries use too, wait for a connection where the server refuses a further one
 * (53300: `max_connections`, or the role's own limit): for one of the pool's that becomes free, else for a place on the
 * server. Rejects with the server's refusal after `limitMs`; any other error rejects at once.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function waitForConnections(pool: Pool, limitMs: number, clock: Clock): void {
  const { max } = pool.options;
  const connectOnce = pool.connect.bind(pool) as () => Promise<PoolClient>;
  let limitedUntil = -Infinity;

  async function connect(): Promise<PoolClient> {
    const deadline = clock.monotonicMs() + limitMs;
    for (;;) {
      const nowMs = clock.monotonicMs();
      // A full pool queues the request until a connection is released.
      pool.options.max = nowMs < limitedUntil ? Math.max(1, pool.totalCount) : max;
      const connecting = connectOnce();
      try {
        const client = await settleWithin(clock, deadline - nowMs, connecting);
        if (client !== undefined) return client;
      } catch (thrown) {
        if (!isTooMany(thrown) || clock.monotonicMs() + pauseMs >= deadline) throw thrown;
        limitedUntil = clock.monotonicMs() + limitedMs;
        if (pool.totalCount === 0) await sleep(clock, pauseMs);
        continue;
      }
      connecting.then(
        (late) => late.release(),
        () => {},
      );
      throw new Error("timeout exceeded when trying to connect");
    }
  }

  type Receiver = (error: Error | undefined, client?: PoolClient, release?: PoolClient["release"]) => void;
  const connectOrReceive = (receive?: Receiver) => {
    if (receive === undefined) return connect();
    connect().then(
      (client) => receive(undefined, client, client.release),
      (error: Error) => receive(error, undefined, () => {}),
    );
    return undefined;
  };
  pool.connect = connectOrReceive as Pool["connect"];
}

function isTooMany(thrown: unknown): boolean {
  return thrown instanceof DatabaseError && thrown.code === "53300";
}
