import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import type { EnvRecord } from "#platform/env.ts";

import { loadEnvFiles } from "./load-env-files.ts";
import { CliFailure } from "#platform/failure.ts";
import { readRunning } from "#local/running-file.ts";
import { readSecrets, type SecretName } from "#local/secrets.ts";
import { baseUrlOf, readSettings, valueOf } from "#local/settings.ts";
import { createPaint, type Layout, type Paint, widthOf } from "./terminal.ts";

/** What every command needs: the address of the relay, its secrets, and where to print. */
export interface CommandContext extends Layout {
  /** For standard error. */
  paintError: Paint;
  /** Whether standard output is a terminal, so that a secret that is printed is not kept in a file. */
  isTerminal: boolean;
  /** The folder that paths on the command line are relative to. */
  folder: string;
  /** Aborted by Ctrl-C: what waits or repeats then ends and prints what there is. */
  signal: AbortSignal;
  /** Without a slash at the end: RELAY_URL, else the start on this machine, else the address it would have. */
  baseUrl(): string;
  /** The relay on this machine, whatever RELAY_URL says. */
  localUrl(): string;
  /** A variable of the environment without white space around it; undefined if it is absent or blank. */
  variable(name: string): string | undefined;
  /** From the environment, else from the start on this machine. Throws a `CliFailure` if neither has it. */
  secret(name: SecretName): string;
  /** Likewise; only a running start has one. */
  databaseUrl(): string;
  /** Prints a part of the result. */
  print(text: string): void;
  /** Likewise, for a result of many parts: resolves when the reader can take more. */
  write(text: string): Promise<void>;
  /** Whether a part of the result is printed. */
  hasPrinted(): boolean;
  /** The exit status, for a command that succeeded and has something to say by it. */
  exitWith(status: number): void;
  /** Prints progress or advice on standard error, so that standard output holds only the result. */
  note(text: string): void;
  /** On a terminal: one line of progress that replaces the one before. An empty text removes it. */
  showProgress(text: string): void;
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Reads the `.env` files of the checkout into `process.env` first. */
export function createCommandContext(signal: AbortSignal = new AbortController().signal): CommandContext {
  loadEnvFiles(root);
  const env: EnvRecord = process.env;
  const settings = () => readSettings(env, root);
  const localUrl = () => {
    const { dataDir, host, port } = settings();
    return readRunning(dataDir)?.baseUrl ?? baseUrlOf(host, port);
  };
  return {
    paint: createPaint(env, process.stdout),
    paintError: createPaint(env, process.stderr),
    width: widthOf(env, process.stdout),
    zone: "UTC",
    isTerminal: process.stdout.isTTY,
    // npm changes to the package's folder and notes where it was called.
    folder: valueOf(env, "INIT_CWD") ?? process.cwd(),
    signal,
    baseUrl: () => valueOf(env, "RELAY_URL")?.split(",")[0]?.trim().replace(/\/+$/, "") ?? localUrl(),
    localUrl,
    variable: (name) => valueOf(env, name),
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
    ...printer(),
  };
}

function printer(): Pick<CommandContext, "print" | "write" | "hasPrinted" | "exitWith" | "note" | "showProgress"> {
  let hasPrinted = false;
  const write = (text: string) => {
    hasPrinted = true;
    return process.stdout.write(`${text}\n`);
  };
  return {
    print: (text) => void write(text),
    write: (text) =>
      write(text) ? Promise.resolve() : new Promise((drained) => process.stdout.once("drain", drained)),
    hasPrinted: () => hasPrinted,
    exitWith: (status) => void (process.exitCode = status),
    note: (text) => void process.stderr.write(`${text}\n`),
    showProgress: (text) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
    },
  };
}
