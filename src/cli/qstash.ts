/**
 * `npm run qstash`: the embedded QStash by itself, with a Postgres of its own, for any project that publishes to QStash.
 * Exit status as of `npm start`.
 */
import { randomUUID } from "node:crypto";
import { join, resolve } from "node:path";

import { Command, InvalidArgumentError, Option } from "commander";

import { startBroker } from "#broker/broker.ts";
import { systemClock } from "#platform/clock.ts";
import { createLog } from "#platform/log.ts";

import { aborted } from "./abort.ts";
import { readBrokerLimits } from "./broker-limits.ts";
import { openDataFolder } from "./data-folder.ts";
import { openEmbeddedPostgres } from "./embedded-postgres.ts";
import { CliFailure } from "./failure.ts";
import { openLogFile } from "./log-file.ts";
import { requireFreePort } from "./ports.ts";
import { developmentCredentials, type QStashCredentials, readCredentials } from "./qstash-credentials.ts";
import { readOrCreateSecrets } from "./secrets.ts";
import { baseUrlOf } from "./settings.ts";
import { listenForStop, type StopRequest } from "./stop-request.ts";
import { createTeardown, type Teardown } from "./teardown.ts";

interface QStashOptions {
  port: number;
  host: string;
  data: string;
  dev: boolean;
  verbose: boolean;
}

export async function run(args: string[]): Promise<void> {
  const stop = listenForStop(() => systemClock.monotonicMs());
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (thrown) => stop.stop(describeUnexpected(thrown)));
  }
  const teardown = createTeardown((name, error) => console.error(`✖ ${name}: ${String(error)}`));
  try {
    await createCommand(async (options) => {
      await start(options, stop, teardown);
      await aborted(stop.signal);
    }).parseAsync(args, { from: "user" });
  } catch (error) {
    // An interrupted step fails in its own way; that it was interrupted is what counts.
    if (!stop.signal.aborted) stop.stop(error instanceof CliFailure ? error.message : describeUnexpected(error));
  }
  if (stop.failure !== null) console.error(`✖ ${stop.failure}`);
  if (stop.signal.aborted) await teardown.run(stop.hurry, (name) => console.log(`Stopping: ${name} …`));
  process.exit(stop.failure !== null ? 1 : stop.hurry.aborted ? 130 : 0);
}

function createCommand(action: (options: QStashOptions) => Promise<void>): Command {
  return new Command("npm run qstash --")
    .description("QStash's HTTP API on this machine, without an account. docs/EMBEDDED_QSTASH.md says what it speaks.")
    .addOption(new Option("--port <port>", "where it listens").env("QSTASH_PORT").default(8080).argParser(parsePort))
    .addOption(new Option("--host <address>", "the address it listens on").env("HOST").default("127.0.0.1"))
    .option("--data <folder>", "where messages and generated credentials are kept", ".qstash")
    .option("--dev", "use Upstash's public development credentials, for clients with QSTASH_DEV=true", false)
    .option("-v, --verbose", "show the log here, besides writing it to a file", false)
    .action(action);
}

async function start(options: QStashOptions, stop: StopRequest, teardown: Teardown): Promise<void> {
  const { host, port, dev } = options;
  if (dev && !["127.0.0.1", "::1", "localhost"].includes(host)) {
    throw new CliFailure(`--dev uses public credentials, so it listens on 127.0.0.1 alone, not on ${host}.`);
  }
  const dataDir = resolve(options.data);
  const folder = openDataFolder(dataDir);
  teardown.add("data folder", folder.release);
  await requireFreePort("--port", port, host);
  const credentials = dev ? developmentCredentials : readCredentials(process.env, dataDir);
  const postgres = await openEmbeddedPostgres({
    dataDir: join(dataDir, "postgres"),
    password: readOrCreateSecrets(dataDir).POSTGRES_PASSWORD,
  });
  teardown.add("Postgres", (hurry) => postgres.stop(hurry));
  void postgres.exited.then(() => stop.stop(`Postgres ended by itself, see ${join(dataDir, "postgres.log")}.`));
  await postgres.createDatabaseIfMissing("broker");
  stop.signal.throwIfAborted();

  const follow = options.verbose ? (text: string) => void process.stdout.write(text) : undefined;
  const logFile = openLogFile(join(dataDir, "broker.log"), follow);
  teardown.add("log", () => logFile.close());
  const broker = await startBroker({
    databaseUrl: postgres.url("broker"),
    host,
    port,
    ...credentials,
    clock: systemClock,
    newId: randomUUID,
    log: createLog({ clock: systemClock, write: (_level, line) => logFile.write(line) }),
    limits: readBrokerLimits(process.env),
  });
  teardown.add("QStash", () => broker.stop());
  broker.startDispatching();
  console.log(describeStarted(options, dataDir, credentials));
}

/** Generated credentials are shown to a terminal only: other outputs may be logs. */
function describeStarted({ host, port, dev }: QStashOptions, dataDir: string, credentials: QStashCredentials): string {
  const lines = [`✔ QStash listens on ${baseUrlOf(host, port)}. Ctrl-C stops it.`, ""];
  if (dev) return [...lines, "QSTASH_DEV=true", `QSTASH_DEV_PORT=${port}`].join("\n");
  lines.push(`QSTASH_URL=${baseUrlOf(host, port)}`);
  if (!process.stdout.isTTY) return [...lines, `Token and signing keys: ${join(dataDir, "secrets.json")}`].join("\n");
  return [
    ...lines,
    `QSTASH_TOKEN=${credentials.token}`,
    `QSTASH_CURRENT_SIGNING_KEY=${credentials.currentSigningKey}`,
    `QSTASH_NEXT_SIGNING_KEY=${credentials.nextSigningKey}`,
  ].join("\n");
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new InvalidArgumentError("It has to be a port from 1 to 65535.");
  return port;
}

/** A bug: its report needs the trace. */
function describeUnexpected(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
