import type { HandlerDatabase, HandlerQuery } from "#handlers/handler.ts";
import type { Clock } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";
import { beginWith, transact } from "#store/connection/transaction.ts";

import { createPlaces, type Places } from "./places.ts";

/** For one statement, and for a free connection. */
const timeoutMs = 5_000;
const begin = beginWith("begin", timeoutMs);

/** For each pool the connections that handlers may hold at the same time. */
const placesOf = new WeakMap<object, Places>();

/**
 * A handler's access to Postgres. It shares ingestion's pool but holds at most half of it, so that handlers cannot hold
 * ingestion up. Everything is a transaction, because only there the server itself ends a long statement or an idle
 * handler. When the signal aborts, which it must in the end, the connection is closed, and with it whatever runs on it.
 */
export function createHandlerDatabase(
  { $client: pool }: Pick<Database, "$client">,
  signal: AbortSignal,
  clock: Pick<Clock, "after">,
): HandlerDatabase {
  const places = placesOf.get(pool) ?? createPlaces(Math.max(1, Math.floor(pool.options.max / 2)), clock, Infinity);
  placesOf.set(pool, places);

  const transaction: HandlerDatabase["transaction"] = async (work) => {
    signal.throwIfAborted();
    const leave = await places.enter(timeoutMs);
    if (leave === null) throw new HandlerDatabaseBusy("Other handlers hold the connections that handlers may use");
    try {
      return await transact(pool, begin, async (client) => {
        signal.throwIfAborted();
        let isOpen = true;
        const query: HandlerQuery = async <Row extends object>(text: string, values: readonly unknown[] = []) => {
          // The connection may be in another transaction by then.
          if (!isOpen) throw new Error("The transaction has ended");
          return (await client.query<Row>(text, [...values])).rows;
        };
        const close = () => client.connection.stream.destroy();
        signal.addEventListener("abort", close, { once: true });
        try {
          return await unlessAborted(signal, work(query));
        } finally {
          isOpen = false;
          signal.removeEventListener("abort", close);
        }
      });
    } finally {
      leave();
    }
  };
  return { transaction, query: (text, values) => transaction((query) => query(text, values)) };
}

function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

class HandlerDatabaseBusy extends Error {
  override readonly name = "HandlerDatabaseBusy";
  readonly expose = true;
}
