/** The order in which a start brings its servers up; the teardown stops them in the opposite one. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";

import { settleWithin, systemClock } from "#platform/clock.ts";
import type { EnvRecord } from "#platform/env.ts";
import { createLog } from "#platform/log.ts";

import { aborted } from "./abort.ts";
import { readBrokerLimits } from "./broker-limits.ts";
import { openDataFolder } from "./data-folder.ts";
import { type EmbeddedPostgres, openEmbeddedPostgres } from "./embedded-postgres.ts";
import { openLogFile } from "./log-file.ts";
import { startNextServer } from "./next-server.ts";
import { requireFreePort } from "./ports.ts";
import { writeRunning } from "./running-file.ts";
import { readOrCreateSecrets } from "./secrets.ts";
import { brokerHost, type Settings, valueOf } from "./settings.ts";
import { completeEnvironment, planStart, type StartPlan } from "./start-environment.ts";
import type { StopRequest } from "./stop-request.ts";
import type { Teardown } from "./teardown.ts";

export interface BringUpOptions {
  root: string;
  env: EnvRecord;
  settings: Settings;
  verbose: boolean;
  /** Runs one step and shows that it is done. */
  step: <T>(doing: string, work: () => Promise<T>) => Promise<T>;
  stop: StopRequest;
  teardown: Teardown;
  /** Throws if the server could not work with this environment. */
  requireConfiguration: (env: EnvRecord) => void;
  /** Brings the application's database up to date. Loaded while Postgres starts, since loading takes longer. */
  loadMigration: () => Promise<(databaseUrl: string, signal: AbortSignal) => Promise<void>>;
}

export interface RunningServers {
  settings: Settings;
  plan: StartPlan;
  qstashUrl: string;
  /** `null` where the embedded one is not needed. */
  postgresFolder: string | null;
  /** The operator's own database, `null` where the embedded one serves the application too. */
  givenDatabaseUrl: string | null;
  opsToken: string;
}

const brokerStopLimitMs = 10_000;

export async function bringUp(options: BringUpOptions): Promise<RunningServers> {
  const { settings, step, stop, teardown } = options;
  const { dataDir, host } = settings;
  const plan = planStart(options.env, settings);
  const follow = options.verbose ? (text: string) => void process.stdout.write(text) : undefined;

  const folder = openDataFolder(dataDir);
  teardown.add("data folder", folder.release);
  await requireFreePort("PORT", settings.port, host);
  if (plan.needsBroker) await requireFreePort("QSTASH_PORT", settings.qstashPort, brokerHost);
  const secrets = readOrCreateSecrets(dataDir);
  const env = completeEnvironment(options.env, plan, secrets);
  const givenDatabaseUrl = valueOf(env, "DATABASE_URL") ?? null;
  // Where the embedded one will listen is not known yet.
  options.requireConfiguration({ ...env, DATABASE_URL: givenDatabaseUrl ?? "postgresql://embedded" });

  // Loading them takes longer than starting Postgres: both at once.
  const migrating = options.loadMigration();
  const brokering = plan.needsBroker ? import("#broker/broker.ts") : undefined;
  for (const loading of [migrating, brokering]) loading?.catch(() => {});

  let postgres: EmbeddedPostgres | undefined;
  let databaseUrl = givenDatabaseUrl ?? "";
  let brokerDatabaseUrl = "";
  if (plan.needsPostgres) {
    const postgresLog = openLogFile(join(dataDir, "postgres.log"));
    teardown.add("Postgres's log", () => postgresLog.close());
    postgres = await step("Postgres", async () => {
      const opened = await openEmbeddedPostgres({
        dataDir: join(dataDir, "postgres"),
        password: secrets.POSTGRES_PASSWORD,
        logFile: postgresLog.path,
      });
      teardown.add("Postgres", (hurry) => opened.stop(hurry));
      void opened.exited.then(() => stop.stop(`Postgres ended by itself, see ${postgresLog.path}.`));
      const open = (name: string, password: string) => opened.openOwned({ name, password });
      if (givenDatabaseUrl === null) databaseUrl = await open("relay", secrets.RELAY_DATABASE_PASSWORD);
      if (plan.needsBroker) brokerDatabaseUrl = await open("broker", secrets.BROKER_DATABASE_PASSWORD);
      return opened;
    });
  }
  env["DATABASE_URL"] = databaseUrl;
  const migrateDatabase = await migrating;
  await step("Migrations", () => migrateDatabase(databaseUrl, stop.signal));

  let startDispatching = () => {};
  let stopDispatching: (() => Promise<void>) | undefined;
  if (brokering) {
    const { startBroker } = await brokering;
    const brokerLog = openLogFile(join(dataDir, "broker.log"), { follow });
    teardown.add("broker's log", () => brokerLog.close());
    const broker = await step("QStash on this machine", async () => {
      const started = await startBroker({
        databaseUrl: brokerDatabaseUrl,
        host: brokerHost,
        port: settings.qstashPort,
        token: env["QSTASH_TOKEN"] ?? "",
        currentSigningKey: env["QSTASH_CURRENT_SIGNING_KEY"] ?? "",
        nextSigningKey: env["QSTASH_NEXT_SIGNING_KEY"] ?? "",
        clock: systemClock,
        newId: randomUUID,
        limits: readBrokerLimits(options.env),
        log: createLog({ clock: systemClock, write: (_level, line) => brokerLog.write(line) }),
      });
      teardown.add("QStash on this machine", (hurry) => bounded(started.stop(), hurry));
      return started;
    });
    startDispatching = () => broker.startDispatching();
    stopDispatching = () => broker.stopDispatching();
  }

  const serverLog = openLogFile(join(dataDir, "server.log"), { follow });
  teardown.add("server's log", () => serverLog.close());
  await step("Server", async () => {
    const { port } = settings;
    const { root } = options;
    const server = await startNextServer({
      root,
      host,
      port,
      baseUrl: plan.baseUrl,
      env,
      logFile: serverLog,
      signal: stop.signal,
    });
    teardown.add("server", (hurry) => server.stop(hurry));
    void server.exited.then(() => stop.stop(`The server ended by itself:\n${serverLog.tail()}`));
  });
  // Now that somebody listens: what was due before would have lost an attempt at each start.
  startDispatching();
  // Last, so that it comes first when stopping: what is dispatched now would hit a server that no longer takes requests.
  if (stopDispatching) {
    const stopIt = stopDispatching;
    teardown.add("dispatching", (hurry) => bounded(stopIt(), hurry));
  }
  const qstashUrl = valueOf(env, "QSTASH_URL") ?? "https://qstash.upstash.io";
  teardown.add(
    "notes for the commands",
    writeRunning(dataDir, { pid: process.pid, baseUrl: plan.baseUrl, qstashUrl, databaseUrl }),
  );
  return {
    settings,
    plan,
    qstashUrl,
    postgresFolder: postgres?.folder ?? null,
    givenDatabaseUrl,
    opsToken: env["OPS_TOKEN"] ?? "",
  };
}

async function bounded(work: Promise<void>, hurry: AbortSignal): Promise<void> {
  await settleWithin(systemClock, brokerStopLimitMs, Promise.race([work, aborted(hurry)]));
}
