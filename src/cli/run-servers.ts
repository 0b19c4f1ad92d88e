/** `npm start` and `npm run dev`: everything that the product needs on one machine, in one foreground process. */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import type { ServerMode } from "#local/next-server.ts";
import { readSettings } from "#local/settings.ts";
import { checkEnvironment, startServers } from "#local/start-servers.ts";
import { systemClock } from "#platform/clock.ts";
import { CliFailure } from "#platform/failure.ts";

import { describeRunning } from "./describe-running.ts";
import { loadEnvFiles } from "./load-env-files.ts";
import { requireConfiguration } from "./require-configuration.ts";
import { runUntilStopped } from "./run-until-stopped.ts";
import { showMove } from "./show-move.ts";

const options = `
  -v, --verbose   also print the log lines of the server and of QStash here; the files in DATA_DIR have them in any case
  -h, --help      print this

Environment: PORT (3000), QSTASH_PORT (8080), HOST (127.0.0.1), DATA_DIR (.data). DATABASE_URL makes the application use
that Postgres; QSTASH_URL or QSTASH_TOKEN make it use the real QStash. README.md has the table of all variables.`;

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

const printer = { note: (text: string) => console.log(text), showProgress: () => {} };

export interface RunServers {
  /** As it is called: `npm start`. */
  command: string;
  mode: ServerMode;
}

/** Ends the process, with the exit status that `runUntilStopped` describes. */
export function runServers(args: string[], { command, mode }: RunServers): Promise<never> {
  const usage = `Usage: ${command} [-- --verbose]\n${options}`;
  return runUntilStopped(async ({ elapsedMs, ...foreground }) => {
    const { help, verbose } = readOptions(args, usage);
    if (help) {
      console.log(usage);
      return false;
    }
    loadEnvFiles(root);
    const running = await startServers({
      ...foreground,
      root,
      mode,
      env: process.env,
      settings: readSettings(process.env, root),
      follow: verbose ? (text) => void process.stdout.write(text) : undefined,
      requireConfiguration,
      startMaintenance: async (env) => (await import("./start-maintenance.ts")).startMaintenance(env),
      startTimers: async (env, baseUrl) => (await import("./start-timers.ts")).startTimers(env, baseUrl),
      loadMigration: async () => {
        const { migrateDatabase } = await import("./migrate-database.ts");
        return (databaseUrl, signal) =>
          migrateDatabase(databaseUrl, signal, showMove({ clock: systemClock, ...printer }));
      },
    });
    const { paint } = foreground;
    const banner = { root, mode, paint, tookMs: elapsedMs(), isTerminal: process.stdout.isTTY };
    console.log(await describeRunning(running, banner));
    return true;
  });
}

/** Throws a `CliFailure` for ports, variables and a data folder with which a start cannot work. Starts and writes nothing. */
export async function checkConfiguration(): Promise<void> {
  loadEnvFiles(root);
  await checkEnvironment({ env: process.env, settings: readSettings(process.env, root), requireConfiguration });
}

function readOptions(args: string[], usage: string): { help: boolean; verbose: boolean } {
  try {
    const { values } = parseArgs({
      args,
      options: { help: { type: "boolean", short: "h" }, verbose: { type: "boolean", short: "v" } },
    });
    return { help: values.help ?? false, verbose: values.verbose ?? false };
  } catch (error) {
    throw new CliFailure(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}
