import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import type { EnvRecord } from "#platform/env.ts";

import { loadEnvFiles } from "./load-env-files.ts";
import { CliFailure } from "#platform/failure.ts";
import { readRunning } from "#local/running-file.ts";
import { readSecrets, type SecretName } from "#local/secrets.ts";
import { baseUrlOf, readSettings, valueOf } from "#local/settings.ts";
import { createPaint, type Paint } from "./terminal.ts";

/** What every command needs: the address of the relay, its secrets, and where to print. */
export interface CommandContext {
  paint: Paint;
  /** For standard error. */
  paintError: Paint;
  /** Whether standard output is a terminal, so that a secret that is printed is not kept in a file. */
  isTerminal: boolean;
  /** The folder that paths on the command line are relative to. */
  folder: string;
  /** Without a slash at the end: RELAY_URL, else the start on this machine, else the address it would have. */
  baseUrl(): string;
  /** From the environment, else from the start on this machine. Throws a `CliFailure` if neither has it. */
  secret(name: SecretName): string;
  /** Likewise; only a running start has one. */
  databaseUrl(): string;
  print(text: string): void;
  /** Prints progress on standard error, so that standard output holds only the result. */
  note(text: string): void;
  /** On a terminal: one line of progress that replaces the one before. An empty text removes it. */
  showProgress(text: string): void;
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Reads the `.env` files of the checkout into `process.env` first. */
export function createCommandContext(): CommandContext {
  loadEnvFiles(root);
  const env: EnvRecord = process.env;
  const settings = () => readSettings(env, root);
  return {
    paint: createPaint(env, process.stdout),
    paintError: createPaint(env, process.stderr),
    isTerminal: process.stdout.isTTY,
    // npm changes to the package's folder and notes where it was called.
    folder: valueOf(env, "INIT_CWD") ?? process.cwd(),
    baseUrl: () => {
      const { dataDir, host, port } = settings();
      const configured = valueOf(env, "RELAY_URL")?.split(",")[0]?.trim().replace(/\/+$/, "");
      return configured ?? readRunning(dataDir)?.baseUrl ?? baseUrlOf(host, port);
    },
    secret: (name) => {
      const { dataDir } = settings();
      const found = valueOf(env, name) ?? readSecrets(dataDir)?.[name];
      if (found !== undefined) return found;
      throw new CliFailure(`${name} is not set, and no start has used ${dataDir}: set it, or run npm start first.`);
    },
    databaseUrl: () => {
      const found = valueOf(env, "DATABASE_URL") ?? readRunning(settings().dataDir)?.databaseUrl;
      if (found) return found;
      throw new CliFailure(
        "DATABASE_URL is not set, and npm start is not running on this machine: set it, or run npm start first.",
      );
    },
    print: (text) => console.log(text),
    note: (text) => console.error(text),
    showProgress: (text) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
    },
  };
}
