/** The order in which a start brings its servers up; the teardown stops them in the reverse order. */
import type { EnvRecord } from "#platform/env.ts";

import { requireRetriesWithinLimit } from "./broker-limits.ts";
import { openDataFolder, requireUnusedFolder } from "./data-folder.ts";
import { requireFreePort } from "./ports.ts";
import { writeRunning } from "./running-file.ts";
import type { ServerMode } from "./next-server.ts";
import { generateSecrets, readOrCreateSecrets, readSecrets, type Secrets } from "./secrets.ts";
import type { ServerLifetime } from "./server-lifetime.ts";
import { brokerHost, type Settings, valueOf } from "./settings.ts";
import { startDispatching, startEmbeddedQstash } from "./start-embedded-qstash.ts";
import { completeEnvironment, planStart, type StartPlan } from "./start-environment.ts";
import { startPostgres } from "./start-postgres.ts";
import { startWebServer } from "./start-web-server.ts";

export interface StartServersOptions extends Omit<ServerLifetime, "dataDir"> {
  /** The checkout; in production with a build in it. */
  root: string;
  mode: ServerMode;
  env: EnvRecord;
  settings: Settings;
  /** Throws if the server could not work with this environment. */
  requireConfiguration: (env: EnvRecord) => void;
  /** Makes the schedule of maintenance at the QStash of this environment. Called where that is the one on this machine. */
  startMaintenance: (env: EnvRecord) => Promise<void>;
  /** Calls the drain and maintenance of the server at this address now and then, until the function that it resolves with. */
  startTimers: (env: EnvRecord, baseUrl: string) => Promise<() => Promise<void>>;
  /** Loads what brings the application's database up to date. It is called early, because loading takes longer than starting Postgres. */
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

/**
 * Resolves when all servers run and messages are delivered. Throws a `CliFailure` for what a person can mend, before it
 * starts anything where that is possible; what was started is in the teardown also then.
 */
export async function startServers(options: StartServersOptions): Promise<RunningServers> {
  const { root, mode, settings, stop, teardown } = options;
  const lifetime: ServerLifetime = { ...options, dataDir: settings.dataDir };
  const plan = planStart(options.env, settings);
  const secrets = await prepareDataFolder(lifetime, plan, settings);
  const env = completeEnvironment(options.env, plan, secrets);
  const givenDatabaseUrl = valueOf(env, "DATABASE_URL") ?? null;
  requireUsable(env, plan, options);

  const loadingMigration = inBackground(options.loadMigration());
  if (plan.needsBroker) void inBackground(import("#broker/broker.ts"));
  const { databaseUrl, brokerDatabaseUrl, postgresFolder } = await provideDatabases(lifetime, {
    plan,
    secrets,
    givenDatabaseUrl,
  });
  env["DATABASE_URL"] = databaseUrl;
  const migrateDatabase = await loadingMigration;
  await options.step("Migrations", () => migrateDatabase(databaseUrl, stop.signal));
  const broker = plan.needsBroker
    ? await startEmbeddedQstash(lifetime, {
        databaseUrl: brokerDatabaseUrl,
        host: brokerHost,
        port: settings.qstashPort,
        token: env["QSTASH_TOKEN"] ?? "",
        currentSigningKey: env["QSTASH_CURRENT_SIGNING_KEY"] ?? "",
        nextSigningKey: env["QSTASH_NEXT_SIGNING_KEY"] ?? "",
        env,
      })
    : null;
  await startWebServer(lifetime, { root, mode, host: settings.host, port: settings.port, baseUrl: plan.baseUrl, env });
  // Only now: a message that was due before the server listened would lose an attempt at each start.
  if (broker) {
    startDispatching(lifetime, broker);
    await options.startMaintenance(env);
  }
  if (plan.needsTimers) teardown.add("timers", await options.startTimers(env, plan.baseUrl));
  const qstashUrl = valueOf(env, "QSTASH_URL") ?? "https://qstash.upstash.io";
  const running = { pid: process.pid, baseUrl: plan.baseUrl, queueName: plan.queueName, qstashUrl, databaseUrl };
  teardown.add("notes for the commands", writeRunning(settings.dataDir, running));
  return { settings, plan, qstashUrl, postgresFolder, givenDatabaseUrl, opsToken: env["OPS_TOKEN"] ?? "" };
}

/**
 * Throws a `CliFailure` for an environment that no start can work with, for a damaged file of secrets, and for a data folder
 * or a port that is in use. Starts and writes nothing.
 */
export async function checkEnvironment({
  env,
  settings,
  ...options
}: Pick<StartServersOptions, "env" | "settings" | "requireConfiguration">): Promise<void> {
  const plan = planStart(env, settings);
  const secrets = { ...generateSecrets(), ...readSecrets(settings.dataDir) };
  requireUsable(completeEnvironment(env, plan, secrets), plan, options);
  requireUnusedFolder(settings.dataDir);
  await requireFreePorts(plan, settings);
}

function requireUsable(
  env: EnvRecord,
  plan: StartPlan,
  { requireConfiguration }: Pick<StartServersOptions, "requireConfiguration">,
): void {
  // Where the embedded Postgres will listen is not known yet.
  requireConfiguration({ ...env, DATABASE_URL: valueOf(env, "DATABASE_URL") ?? "postgresql://embedded" });
  if (plan.needsBroker) requireRetriesWithinLimit(env);
}

/** Takes the data folder and its secrets, after checking that the ports are free. */
async function prepareDataFolder({ teardown }: ServerLifetime, plan: StartPlan, settings: Settings): Promise<Secrets> {
  teardown.add("data folder", openDataFolder(settings.dataDir).release);
  await requireFreePorts(plan, settings);
  return readOrCreateSecrets(settings.dataDir);
}

async function requireFreePorts(plan: StartPlan, { port, host, qstashPort }: Settings): Promise<void> {
  await requireFreePort("PORT", port, host);
  if (plan.needsBroker) await requireFreePort("QSTASH_PORT", qstashPort, brokerHost);
}

/** Starts the embedded Postgres if the application or the broker needs it. */
async function provideDatabases(
  lifetime: ServerLifetime,
  { plan, secrets, givenDatabaseUrl }: { plan: StartPlan; secrets: Secrets; givenDatabaseUrl: string | null },
): Promise<{ databaseUrl: string; brokerDatabaseUrl: string; postgresFolder: string | null }> {
  if (!plan.needsPostgres) return { databaseUrl: givenDatabaseUrl ?? "", brokerDatabaseUrl: "", postgresFolder: null };
  const relay = { name: "relay", password: secrets.RELAY_DATABASE_PASSWORD };
  const broker = { name: "broker", password: secrets.BROKER_DATABASE_PASSWORD };
  const databases = [...(givenDatabaseUrl === null ? [relay] : []), ...(plan.needsBroker ? [broker] : [])];
  const { urls, folder } = await startPostgres(lifetime, { password: secrets.POSTGRES_PASSWORD, databases });
  return {
    databaseUrl: givenDatabaseUrl ?? urls[0] ?? "",
    brokerDatabaseUrl: plan.needsBroker ? (urls.at(-1) ?? "") : "",
    postgresFolder: folder,
  };
}

/** The same promise, whose rejection is no unhandled one while nothing waits for it yet. */
function inBackground<T>(loading: Promise<T>): Promise<T> {
  loading.catch(() => {});
  return loading;
}
