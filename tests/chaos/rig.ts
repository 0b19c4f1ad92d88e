/** The built server, the embedded QStash and their databases, with a proxy on every way between them. */
import { randomUUID } from "node:crypto";

import { Pool } from "pg";

import { startBroker } from "#broker/broker.ts";
import { createTeardown } from "#local/teardown.ts";
import { systemClock } from "#platform/clock.ts";
import { migrateStore } from "#store/migrate.ts";

import { createDatabase } from "../support/database.ts";
import { type HttpFaultProxy, startHttpFaultProxy } from "../support/http-fault-proxy.ts";
import { startTestServer } from "../support/server.ts";
import { startPgBouncer } from "../support/pgbouncer.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { findTestPort } from "../support/test-port.ts";

import { type BrokerLog, createBrokerLog } from "./broker-log.ts";
import { type ControlledHandlers, controlHandlers } from "./controlled-handlers.ts";
import { openOwnPostgres, type OwnPostgres } from "./own-postgres.ts";
import { type ChaosQueue, openOwnQueue } from "./own-queue.ts";
import { createServerLog, type ServerLog } from "./server-log.ts";

export interface Rig {
  /** Where Meta sends: the server itself. */
  readonly baseUrl: string;
  readonly appSecret: string;
  readonly opsToken: string;
  /** The application's database, past its proxy. */
  readonly databaseUrl: string;
  /** Between the server and QStash: `QSTASH_URL`. */
  readonly qstash: HttpFaultProxy;
  /** Before the server, for QStash's deliveries and the server's own calls: `RELAY_URL`. */
  readonly entrance: HttpFaultProxy;
  /** Between the server and its queue, where that is Redis or SQS. */
  readonly ownQueue: HttpFaultProxy | null;
  /** Between the server and its database: `DATABASE_URL`. */
  readonly database: TcpProxy;
  /** The database's server, where the scenario asked for one of its own. */
  readonly ownPostgres: OwnPostgres | null;
  /** Null where the server has the handlers of src/handlers. */
  readonly handlers: ControlledHandlers | null;
  /** Since the last `observe`. */
  readonly serverLog: ServerLog;
  readonly brokerLog: BrokerLog;
  /** Begins new logs. */
  observe(): void;
  /**
   * Ends the server's process and starts another on the same port, with these variables from now on; resolves once that
   * answers. What has ended by itself is started again.
   */
  restartServer(signal: "SIGTERM" | "SIGKILL", env?: Record<string, string>): Promise<void>;
  /** Calls a route with the operator's token; the status and the JSON of its answer. */
  ops(
    method: "GET" | "POST",
    path: string,
    body?: object,
  ): Promise<{ status: number; answer: Record<string, unknown> }>;
  /** One step of maintenance, which `npm start` has QStash call every five minutes. False where it failed. */
  maintain(): Promise<boolean>;
  /** How many of the queue's messages are on their way. */
  countWaiting(): Promise<number>;
  /** Ends everything and drops the databases. */
  stop(): Promise<void>;
}

export interface RigOptions {
  /** That the product was built for; QStash unless given. */
  queue?: ChaosQueue;
  /** A superuser's address of a Postgres for the two databases. */
  postgresUrl: string;
  /** Whether the application's database has a server of its own. */
  hasOwnPostgres?: boolean;
  /** Whether PgBouncer, in transaction mode, is between the server and its database. */
  hasPooler?: boolean;
  /** Of a product built with controlled handlers; without it the checkout's. */
  folder?: string;
  /** Beyond the secrets and addresses. */
  env: Record<string, string>;
  /**
   * What the entrance asks of QStash when a delivery fails; without it QStash waits its own twelve seconds. With the queue in
   * Postgres, whether the leases of a process that died end with it, and not after 90 s.
   */
  retryAfterSeconds?: number;
}

const appSecret = "app-secret";
const opsToken = "ops-token-of-thirty-two-characters";
const cronSecret = "cron-secret-of-thirty-two-characters";
/** Fewer than a process may have, as where several share a pooler. */
const poolSize = 4;
const maintenanceLimitMs = 20_000;
const qstashKeys = { token: "qstash-token", currentSigningKey: "sig_current_key", nextSigningKey: "sig_next_key" };
const qstashVariables = (url: string) => ({
  QSTASH_URL: url,
  QSTASH_TOKEN: qstashKeys.token,
  QSTASH_CURRENT_SIGNING_KEY: qstashKeys.currentSigningKey,
  QSTASH_NEXT_SIGNING_KEY: qstashKeys.nextSigningKey,
});
/** As long as `npm start` gives it. */
const drainLimitMs = 30_000;

export async function openRig(options: RigOptions): Promise<Rig> {
  const { postgresUrl, env, hasOwnPostgres, hasPooler, folder, retryAfterSeconds, queue = "qstash" } = options;
  const problems: unknown[] = [];
  const teardown = createTeardown((_name, error) => void problems.push(error));
  const stop = async () => {
    await teardown.run(new AbortController().signal);
    if (problems.length > 0) throw new AggregateError(problems, "Not everything could be stopped");
  };
  try {
    const handlers = folder === undefined ? null : controlHandlers();
    if (handlers !== null) teardown.add("handlers' folder", () => Promise.resolve(handlers.remove()));
    const ownPostgres = hasOwnPostgres ? await openOwnPostgres() : null;
    if (ownPostgres !== null) teardown.add("the database's server", () => ownPostgres.remove());
    const [store, messages] = await Promise.all([
      createDatabase(ownPostgres?.url ?? postgresUrl, "chaos"),
      createDatabase(postgresUrl, "chaos_broker"),
    ]);
    teardown.add("databases", async () => void (await Promise.all([store.drop(), messages.drop()])));
    await migrateStore(store.url);

    const brokerLog = createBrokerLog();
    const broker = await startBroker({
      ...qstashKeys,
      databaseUrl: messages.url,
      host: "127.0.0.1",
      port: 0,
      clock: systemClock,
      newId: randomUUID,
      log: brokerLog.log,
      // A fault lasts longer than the five retries of the smallest plan, where QStash is asked to come soon.
      limits: { retriesMax: 1_000 },
    });
    teardown.add("broker", () => broker.stop());
    const isQstash = queue === "qstash";
    const waiting = new Pool({ connectionString: isQstash ? messages.url : store.url, max: 1 });
    // The database's server may be killed.
    waiting.on("error", () => {});
    teardown.add("connection to the queue", () => waiting.end());
    const endLeases = async () => {
      if (isQstash || retryAfterSeconds === undefined) return;
      await waiting.query("update relay.queue_messages set leased_until = now() where leased_until is not null");
      await waiting.query("update relay.queue_drains set leased_until = now() where leased_until is not null");
    };

    const ownQueue = await openOwnQueue(queue);
    if (ownQueue !== null) teardown.add("the queue's server", () => ownQueue.remove());
    const qstash = await startHttpFaultProxy({ target: broker.url });
    teardown.add("QStash's proxy", () => qstash.close());
    const pooler = hasPooler ? await startPgBouncer({ serverUrl: ownPostgres?.url ?? postgresUrl, poolSize }) : null;
    if (pooler !== null) teardown.add("the pooler", () => pooler.stop());
    const database = await startTcpProxy(pooler?.through(store.url) ?? store.url, 5432);
    teardown.add("the database's proxy", () => database.close());

    let serverLog = createServerLog();
    let variables = env;
    const start = (port: number, relayUrl: string) =>
      startTestServer({
        port,
        ...(folder === undefined ? {} : { folder }),
        drainLimitMs,
        onLine: (line) => serverLog.hear(line),
        env: {
          INSTAGRAM_APP_SECRET: appSecret,
          INSTAGRAM_VERIFY_TOKEN: "verify-token",
          ...(isQstash ? qstashVariables(qstash.url) : {}),
          ...ownQueue?.env,
          QUEUE: queue,
          RELAY_SECRET: "relay-secret-of-thirty-two-characters",
          OPS_TOKEN: opsToken,
          CRON_SECRET: cronSecret,
          // Lines of every level show what a fault did.
          LOG_LEVEL: "debug",
          // Maintenance would send probes, which are received and not forwarded.
          PROBE_PAIRS_PER_DAY: "0",
          DATABASE_URL: database.url,
          RELAY_URL: relayUrl,
          ...handlers?.env,
          ...variables,
        },
      });
    const port = await findTestPort();
    const entrance = await startHttpFaultProxy({
      target: `http://127.0.0.1:${port}`,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
    teardown.add("the entrance", () => entrance.close());
    let server = await start(port, entrance.url);
    let isMeant = false;
    /** As `npm start` does, starts again what has ended by itself. */
    const watch = () => {
      void server.exited.then(async () => {
        if (isMeant) return;
        serverLog.processEnded();
        try {
          await endLeases();
          server = await start(port, entrance.url);
          watch();
        } catch (thrown) {
          problems.push(thrown);
        }
      });
    };
    watch();
    const end = async (signal?: "SIGTERM" | "SIGKILL") => {
      isMeant = true;
      await server.stop(signal);
    };
    teardown.add("server", () => end());
    broker.startDispatching();
    teardown.add("dispatching", () => broker.stopDispatching());

    return {
      baseUrl: server.baseUrl,
      appSecret,
      opsToken,
      databaseUrl: store.url,
      qstash,
      entrance,
      ownQueue: ownQueue?.proxy ?? null,
      database,
      ownPostgres,
      handlers,
      get serverLog() {
        return serverLog;
      },
      brokerLog: brokerLog.counted,
      observe() {
        serverLog = createServerLog();
        brokerLog.reset();
      },
      async restartServer(signal, changed = {}) {
        variables = { ...variables, ...changed };
        await end(signal);
        serverLog.processEnded();
        await endLeases();
        server = await start(port, entrance.url);
        isMeant = false;
        watch();
      },
      async ops(method, path, body) {
        const response = await fetch(`${server.baseUrl}/api/ops/${path}`, {
          method,
          headers: { authorization: `Bearer ${opsToken}`, "content-type": "application/json" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
      },
      async maintain() {
        try {
          const response = await fetch(`${server.baseUrl}/api/cron/maintenance`, {
            headers: { authorization: `Bearer ${cronSecret}` },
            signal: AbortSignal.timeout(maintenanceLimitMs),
          });
          await response.arrayBuffer();
          return response.ok;
        } catch {
          return false;
        }
      },
      async countWaiting() {
        const { rows } = await waiting.query<{ waiting: number }>(
          `select count(*)::integer as waiting from ${isQstash ? "messages where state <> 'dead'" : "relay.queue_messages"}`,
        );
        return (rows[0]?.waiting ?? 0) + ((await ownQueue?.countWaiting()) ?? 0);
      },
      stop,
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}
