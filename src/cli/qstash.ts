/** `npm run qstash`: the embedded QStash by itself, with a Postgres of its own, for any project that publishes to QStash. */
import { join, resolve } from "node:path";

import { Command, InvalidArgumentError, Option } from "commander";

import { openDataFolder } from "#local/data-folder.ts";
import { requireFreePort } from "#local/ports.ts";
import { developmentCredentials, type QStashCredentials, readCredentials } from "#local/qstash-credentials.ts";
import { readOrCreateSecrets } from "#local/secrets.ts";
import { baseUrlOf } from "#local/settings.ts";
import { startDispatching, startEmbeddedQstash } from "#local/start-embedded-qstash.ts";
import { startPostgres } from "#local/start-postgres.ts";
import { CliFailure } from "#platform/failure.ts";

import { type Foreground, runUntilStopped } from "./run-until-stopped.ts";

interface QStashOptions {
  port: number;
  host: string;
  data: string;
  dev?: boolean;
  verbose?: boolean;
}

/** Ends the process, with the exit status that `runUntilStopped` describes. */
export function run(args: string[]): Promise<never> {
  return runUntilStopped(async (foreground) => {
    const command = createCommand((options) => start(options, foreground));
    await command.parseAsync(args, { from: "user" });
    return true;
  });
}

function createCommand(action: (options: QStashOptions) => Promise<void>): Command {
  return new Command("npm run qstash --")
    .description(
      "QStash's HTTP API on this machine, without an account. docs/EMBEDDED_QSTASH.md lists what it supports.",
    )
    .addOption(
      new Option("--port <port>", "the port to listen on").env("QSTASH_PORT").default(8080).argParser(parsePort),
    )
    .addOption(new Option("--host <address>", "the address to listen on").env("HOST").default("127.0.0.1"))
    .option("--data <folder>", "the folder for messages, logs and generated credentials", ".qstash")
    .option("--dev", "use Upstash's public development credentials, for clients with QSTASH_DEV=true")
    .option("-v, --verbose", "also print the log lines here; <folder>/broker.log has them in any case")
    .action(action);
}

async function start(options: QStashOptions, { notice, step, stop, teardown }: Foreground): Promise<void> {
  const { host, port, dev } = options;
  if (dev && !["127.0.0.1", "::1", "localhost"].includes(host)) {
    throw new CliFailure(`--dev uses public credentials, so it listens only on 127.0.0.1, not on ${host}.`);
  }
  const dataDir = resolve(options.data);
  teardown.add("data folder", openDataFolder(dataDir).release);
  await requireFreePort("--port", port, host);
  const credentials = dev ? developmentCredentials : readCredentials(process.env, dataDir);
  const secrets = readOrCreateSecrets(dataDir);
  const follow = options.verbose ? (text: string) => void process.stdout.write(text) : undefined;
  const lifetime = { dataDir, follow, notice, step, stop, teardown };

  const { urls } = await startPostgres(lifetime, {
    password: secrets.POSTGRES_PASSWORD,
    databases: [{ name: "broker", password: secrets.BROKER_DATABASE_PASSWORD }],
  });
  const databaseUrl = urls[0] ?? "";
  const broker = await startEmbeddedQstash(lifetime, { databaseUrl, host, port, env: process.env, ...credentials });
  startDispatching(lifetime, broker);
  console.log(describeStarted(options, dataDir, credentials));
}

/** Generated credentials are printed on a terminal only: other output may be kept in a log. */
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
  if (port < 1 || port > 65_535) throw new InvalidArgumentError("It must be a port from 1 to 65535.");
  return port;
}
