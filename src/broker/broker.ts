import { createServer, type Server } from "node:http";

import { getRequestListener } from "@hono/node-server";

import { type Clock, settleWithin } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";

import { createBrokerStore } from "./broker-store.ts";
import { openDatabase } from "./database.ts";
import { createDeadLetterStore } from "./dead-letter-store.ts";
import { createDelivery } from "./delivery.ts";
import { createDispatcher } from "./dispatcher.ts";
import { createEventStore } from "./event-store.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { createHttpApi } from "./http-api.ts";
import { createMessageStore } from "./message-store.ts";
import { migrate } from "./schema.ts";

export interface BrokerOptions {
  /** A database of the broker's own; one broker at a time uses it. */
  databaseUrl: string;
  host: string;
  /** 0: any free port. */
  port: number;
  token: string;
  currentSigningKey: string;
  nextSigningKey: string;
  clock: Clock;
  newId: () => string;
  fetch: typeof fetch;
  log: Log;
}

export interface Broker {
  /** What `QSTASH_URL` has to be. */
  url: string;
  port: number;
  /** Begins to deliver. Until then messages are only accepted: their receivers may still be starting. */
  startDispatching(): void;
  /**
   * Starts no further deliveries and resolves when those that run have ended; after `graceMs` they are aborted and left
   * due. Publishing goes on.
   */
  stopDispatching(graceMs?: number): Promise<void>;
  /** `stopDispatching`, then closes the HTTP server and the connections to Postgres. */
  stop(graceMs?: number): Promise<void>;
}

const graceMsDefault = 10_000;
const closeMsMax = 5000;

/**
 * QStash on one machine: accepts messages over QStash's HTTP API, keeps them in Postgres and, once told to start,
 * delivers them, signed and with its retries. Rejects if the database cannot be used or the port is taken (the cause keeps its code).
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { clock, log } = options;
  const pool = openDatabase(options.databaseUrl, (error) => {
    log.error("broker.store_failed", { during: "idle", ...describeCause(error) });
  });
  const store = createBrokerStore(pool);
  const dispatcher = createDispatcher({ ...options, store, deliver: createDelivery(options) });
  const api = createHttpApi({
    ...options,
    store,
    dispatcher,
    messages: createMessageStore(pool),
    deadLetters: createDeadLetterStore(pool),
    events: createEventStore(pool),
  });
  // Not `overrideGlobalObjects`: the process may be serving other things with the platform's own Request and Response.
  const respond = getRequestListener(api.fetch, { overrideGlobalObjects: false });
  const server = createServer((incoming, outgoing) => void respond(incoming, outgoing));

  try {
    await migrate(pool);
    await listen(server, options.host, options.port);
  } catch (thrown) {
    await pool.end();
    throw thrown;
  }
  const stopHousekeeping = startHousekeeping(store, clock, log);

  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  const url = `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`;
  log.info("broker.started", { url });

  let dispatchingStopped: Promise<void> | undefined;
  const stopDispatching = (graceMs = graceMsDefault) => (dispatchingStopped ??= dispatcher.stop(graceMs));
  let stopped: Promise<void> | undefined;
  const stop = async (graceMs?: number) => {
    await stopDispatching(graceMs);
    await stopHousekeeping();
    await settleWithin(clock, closeMsMax, close(server));
    server.closeAllConnections();
    await pool.end();
    log.info("broker.stopped");
  };
  return {
    url,
    port,
    startDispatching: () => dispatcher.start(),
    stopDispatching,
    stop: (graceMs) => (stopped ??= stop(graceMs)),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === "EADDRINUSE";
      reject(new Error(`The broker cannot listen on ${host}:${port}${taken ? ": the port is in use" : ""}`, { cause }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

/** Requests being answered are finished; connections that only wait are closed at once. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
