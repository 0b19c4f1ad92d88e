/**
 * `npm start`: everything the product needs on one machine, in one foreground process. Exit status 0 after a signal and
 * a clean drain, 130 after a second Ctrl-C, 1 if something could not start or ended by itself.
 */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { systemClock } from "#platform/clock.ts";

import { aborted } from "#local/abort.ts";
import { loadEnvFiles } from "./env-files.ts";
import { CliFailure } from "#platform/failure.ts";
import { readSettings } from "#local/settings.ts";
import { requireConfiguration } from "./require-configuration.ts";
import { describeRunning } from "./start-banner.ts";
import { bringUp } from "#local/start-servers.ts";
import { listenForStop } from "#local/stop-request.ts";
import { createTeardown } from "#local/teardown.ts";
import { createPaint, seconds } from "./terminal.ts";

const usage = `Usage: npm start [-- --verbose]

  -v, --verbose   show the servers' log lines here, besides writing them to files
  -h, --help      show this

Environment: PORT (3000), QSTASH_PORT (8080), HOST (127.0.0.1), DATA_DIR (.data); DATABASE_URL uses that Postgres,
QSTASH_URL or QSTASH_TOKEN the real QStash.`;

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export async function run(args: string[]): Promise<void> {
  const paint = createPaint(process.env, process.stdout);
  const complain = (text: string) => console.error(`${paint("red", "✖")} ${text}`);
  // The terminal may be gone before we are.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const stop = listenForStop(() => systemClock.monotonicMs());
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (thrown) =>
      stop.stop(`An unexpected error: ${thrown instanceof Error ? thrown.stack : String(thrown)}`),
    );
  }
  const teardown = createTeardown((name, error) =>
    complain(`${name}: ${error instanceof Error ? error.message : String(error)}`),
  );

  try {
    const options = readOptions(args);
    if (options.help) return say(usage);
    const startedMs = systemClock.monotonicMs();
    loadEnvFiles(root);
    const settings = readSettings(process.env, root);
    const step = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
      stop.signal.throwIfAborted();
      const stepStartedMs = systemClock.monotonicMs();
      const result = await work();
      say(`${paint("green", "✔")} ${doing} ${paint("dim", seconds(systemClock.monotonicMs() - stepStartedMs))}`);
      return result;
    };
    const running = await bringUp({
      root,
      env: process.env,
      settings,
      verbose: options.verbose,
      step,
      stop,
      teardown,
      requireConfiguration,
      loadMigration: async () => (await import("./migrate-database.ts")).migrateDatabase,
    });
    const tookMs = systemClock.monotonicMs() - startedMs;
    say(await describeRunning(running, { root, paint, tookMs, isTerminal: process.stdout.isTTY }));
    await aborted(stop.signal);
  } catch (error) {
    // An interrupted step fails in its own way; that it was interrupted is what counts.
    if (!stop.signal.aborted) stop.stop(error instanceof CliFailure ? error.message : describeUnexpected(error));
  }

  if (stop.failure !== null) complain(stop.failure);
  if (stop.signal.aborted) await teardown.run(stop.hurry, (name) => say(paint("dim", `Stopping: ${name} …`)));
  if (stop.failure === null && stop.signal.aborted) say("Stopped.");
  process.exit(stop.failure !== null ? 1 : stop.hurry.aborted ? 130 : 0);
}

function say(text: string): void {
  console.log(text);
}

function readOptions(args: string[]): { help: boolean; verbose: boolean } {
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

/** A bug: whoever reports it needs the trace. */
function describeUnexpected(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
