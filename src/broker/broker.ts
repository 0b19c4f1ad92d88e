import { createServer, type Server } from "node:http";

import { getRequestListener } from "@hono/node-server";

import { type Clock, settleWithin } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";

import { createAcceptor } from "./delivery/acceptor.ts";
import { createAttempt } from "./delivery/attempt.ts";
import { createBrokerStore } from "./store/broker-store.ts";
import { openDatabase } from "./store/database.ts";
import { createDeadLetterStore } from "./store/dead-letter-store.ts";
import { createDelivery } from "./delivery/delivery.ts";
import { createDispatcher } from "./delivery/dispatcher.ts";
import { createEventStore } from "./store/event-store.ts";
import { createFlowControls } from "./store/flow-controls.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { createHttpApi } from "./api/http-api.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { createMessageStore } from "./store/message-store.ts";
import { createQueues } from "./store/queues.ts";
import { createQuotas } from "./api/quotas.ts";
import { createRecentDeliveries } from "./delivery/recent-deliveries.ts";
import { createScheduleStore } from "./store/schedule-store.ts";
import { createScheduler } from "./delivery/scheduler.ts";
import { migrate } from "./store/schema.ts";
import { createSender } from "./delivery/send.ts";
import { createSigningKeys } from "./store/signing-keys.ts";
import { createUrlGroupStore } from "./store/url-group-store.ts";

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
  log: Log;
  /** What the plan allows, where it is not `defaultLimits`. */
  limits?: Partial<Limits>;
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
/** The ids of a bulk action come in the query: 64 kB hold some 2,000 of them. */
const headBytesMax = 64 * 1024;

/**
 * QStash on one machine: accepts messages over QStash's HTTP API, keeps them in Postgres and, after `startDispatching`,
 * delivers them, signed and with its retries. Rejects if the database cannot be used or the port is taken (the cause keeps its code).
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { clock, log } = options;
  const pool = openDatabase(options.databaseUrl, (error) => {
    log.error("broker.store_failed", { during: "idle", ...describeCause(error) });
  });
  const limits = { ...defaultLimits, ...options.limits };
  const store = createBrokerStore(pool);
  const flowControls = createFlowControls(pool);
  const queues = createQueues(pool);
  const urlGroups = createUrlGroupStore(pool);
  const schedules = createScheduleStore(pool);
  const recent = createRecentDeliveries(clock);
  const signingKeys = createSigningKeys(pool, {
    current: options.currentSigningKey,
    next: options.nextSigningKey,
  });
  const sender = createSender(clock);
  const deliver = createDelivery({ ...options, limits, signingKeys, sender });
  const attempt = createAttempt({ ...options, limits, store, deliver, recent });
  const shared = { ...options, limits, store, flowControls, queues, urlGroups, schedules, recent, signingKeys, pool };
  const dispatcher = createDispatcher({ ...shared, attempt });
  const scheduler = createScheduler({ ...shared, dispatcher });
  const api = createHttpApi({
    ...shared,
    dispatcher,
    scheduler,
    accept: createAcceptor({ ...shared, dispatcher }),
    quotas: createQuotas(limits, clock),
    messages: createMessageStore(pool),
    deadLetters: createDeadLetterStore(pool),
    events: createEventStore(pool),
  });
  // Not `overrideGlobalObjects`: the process may be serving other things with the platform's own Request and Response.
  const respond = getRequestListener(api.fetch, { overrideGlobalObjects: false });
  const server = createServer(
    { maxHeaderSize: headBytesMax },
    (incoming, outgoing) => void respond(incoming, outgoing),
  );

  try {
    await migrate(pool);
    await Promise.all([flowControls.load(), queues.load(), signingKeys.load()]);
    await listen(server, options.host, options.port);
  } catch (thrown) {
    await pool.end();
    throw thrown;
  }
  const prune = async (nowMs: number) => {
    await store.prune(nowMs);
    await flowControls.prune(nowMs);
    dispatcher.refresh();
  };
  const stopHousekeeping = startHousekeeping(prune, clock, log);

  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  const url = `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`;
  log.info("broker.started", { url });

  let dispatchingStopped: Promise<void> | undefined;
  const stopAll = async (graceMs: number) => {
    await scheduler.stop();
    await dispatcher.stop(graceMs);
  };
  const stopDispatching = (graceMs = graceMsDefault) => (dispatchingStopped ??= stopAll(graceMs));
  let stopped: Promise<void> | undefined;
  const stop = async (graceMs?: number) => {
    await stopDispatching(graceMs);
    sender.close();
    await stopHousekeeping();
    await settleWithin(clock, closeMsMax, close(server));
    server.closeAllConnections();
    await pool.end();
    log.info("broker.stopped");
  };
  return {
    url,
    port,
    startDispatching() {
      dispatcher.start();
      scheduler.start();
    },
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
