/** The built server, the embedded QStash and their databases, with a proxy on every way between them. */
import { randomUUID } from "node:crypto";

import { Pool } from "pg";

import { startBroker } from "#broker/broker.ts";
import { findFreePort } from "#local/ports.ts";
import { createTeardown } from "#local/teardown.ts";
import { systemClock } from "#platform/clock.ts";
import { migrateStore } from "#store/migrate.ts";

import { createDatabase } from "../support/database.ts";
import { type HttpFaultProxy, startHttpFaultProxy } from "../support/http-fault-proxy.ts";
import { startTestServer } from "../support/server.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

import { type BrokerLog, createBrokerLog } from "./broker-log.ts";
import { openOwnPostgres, type OwnPostgres } from "./own-postgres.ts";
import { createServerLog, type ServerLog } from "./server-log.ts";

export interface Rig {
  /** Where Meta sends: the server itself. */
  readonly baseUrl: string;
  readonly appSecret: string;
  /** The application's database, past its proxy. */
  readonly databaseUrl: string;
  /** Between the server and QStash: `QSTASH_URL`. */
  readonly qstash: HttpFaultProxy;
  /** Before the server, for QStash's deliveries and the server's own calls: `RELAY_URL`. */
  readonly entrance: HttpFaultProxy;
  /** Between the server and its database: `DATABASE_URL`. */
  readonly database: TcpProxy;
  /** The database's server, where the scenario asked for one of its own. */
  readonly ownPostgres: OwnPostgres | null;
  /** Since the last `observe`. */
  readonly serverLog: ServerLog;
  readonly brokerLog: BrokerLog;
  /** Begins new logs. */
  observe(): void;
  /** Ends the server's process and starts another on the same port; resolves once that answers. */
  restartServer(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** How many QStash messages are on their way. */
  countWaiting(): Promise<number>;
  /** Ends everything and drops the databases. */
  stop(): Promise<void>;
}

export interface RigOptions {
  /** A superuser's address of a Postgres for the two databases. */
  postgresUrl: string;
  /** Whether the application's database has a server of its own. */
  hasOwnPostgres?: boolean;
  /** Beyond the secrets and addresses. */
  env: Record<string, string>;
  /** What the entrance asks of QStash when a delivery fails; without it QStash waits its own twelve seconds. */
  retryAfterSeconds?: number;
}

const appSecret = "app-secret";
const qstashKeys = { token: "qstash-token", currentSigningKey: "sig_current_key", nextSigningKey: "sig_next_key" };
/** As long as `npm start` gives it. */
const drainLimitMs = 30_000;

export async function openRig({ postgresUrl, env, hasOwnPostgres, retryAfterSeconds }: RigOptions): Promise<Rig> {
  const problems: unknown[] = [];
  const teardown = createTeardown((_name, error) => void problems.push(error));
  const stop = async () => {
    await teardown.run(new AbortController().signal);
    if (problems.length > 0) throw new AggregateError(problems, "Not everything could be stopped");
  };
  try {
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
    const queue = new Pool({ connectionString: messages.url, max: 1 });
    teardown.add("connection to the queue", () => queue.end());

    const qstash = await startHttpFaultProxy({ target: broker.url });
    teardown.add("QStash's proxy", () => qstash.close());
    const database = await startTcpProxy(store.url, 5432);
    teardown.add("the database's proxy", () => database.close());

    let serverLog = createServerLog();
    const start = (port: number, relayUrl: string) =>
      startTestServer({
        port,
        drainLimitMs,
        onLine: (line) => serverLog.hear(line),
        env: {
          INSTAGRAM_APP_SECRET: appSecret,
          INSTAGRAM_VERIFY_TOKEN: "verify-token",
          QSTASH_TOKEN: qstashKeys.token,
          QSTASH_CURRENT_SIGNING_KEY: qstashKeys.currentSigningKey,
          QSTASH_NEXT_SIGNING_KEY: qstashKeys.nextSigningKey,
          RELAY_SECRET: "relay-secret-of-thirty-two-characters",
          OPS_TOKEN: "ops-token-of-thirty-two-characters",
          DATABASE_URL: database.url,
          QSTASH_URL: qstash.url,
          RELAY_URL: relayUrl,
          // Every step is counted.
          LOG_LEVEL: "debug",
          ...env,
        },
      });
    const port = await findFreePort();
    const entrance = await startHttpFaultProxy({
      target: `http://127.0.0.1:${port}`,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
    teardown.add("the entrance", () => entrance.close());
    let server = await start(port, entrance.url);
    teardown.add("server", async () => void (await server.stop()));
    broker.startDispatching();
    teardown.add("dispatching", () => broker.stopDispatching());

    return {
      baseUrl: server.baseUrl,
      appSecret,
      databaseUrl: store.url,
      qstash,
      entrance,
      database,
      ownPostgres,
      get serverLog() {
        return serverLog;
      },
      brokerLog: brokerLog.counted,
      observe() {
        serverLog = createServerLog();
        brokerLog.reset();
      },
      async restartServer(signal) {
        await server.stop(signal);
        serverLog.processEnded();
        server = await start(port, entrance.url);
      },
      async countWaiting() {
        const { rows } = await queue.query<{ waiting: number }>(
          "select count(*)::integer as waiting from messages where state <> 'dead'",
        );
        return rows[0]?.waiting ?? 0;
      },
      stop,
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}
