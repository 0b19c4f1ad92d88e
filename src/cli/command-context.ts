/** What every command starts from: where the relay is, the secrets, and where to print. */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import type { EnvRecord } from "#platform/env.ts";

import { loadEnvFiles } from "./load-env-files.ts";
import { CliFailure } from "#platform/failure.ts";
import { readRunning } from "#local/running-file.ts";
import { readSecrets, type SecretName } from "#local/secrets.ts";
import { baseUrlOf, readSettings, valueOf } from "#local/settings.ts";
import { createPaint, type Paint } from "./terminal.ts";

export interface CommandContext {
  paint: Paint;
  paintError: Paint;
  /** Whether what is printed is seen and not kept. */
  isTerminal: boolean;
  /** The folder that paths on the command line are relative to. */
  folder: string;
  baseUrl(): string;
  /** The environment's, else the local start's; throws the sentence if there is neither. */
  secret(name: SecretName): string;
  databaseUrl(): string;
  print(text: string): void;
  /** For progress: on standard error, so that the result can be piped. */
  note(text: string): void;
  /** One line that the next one replaces, on a terminal only; without a text it goes away. */
  showProgress(text: string): void;
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

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
      throw new CliFailure(
        `${name} is not set, and there has been no start with ${dataDir}: set it, or run npm start first.`,
      );
    },
    databaseUrl: () => {
      const found = valueOf(env, "DATABASE_URL") ?? readRunning(settings().dataDir)?.databaseUrl;
      if (found) return found;
      throw new CliFailure("DATABASE_URL is not set, and no start is running here whose database could be meant.");
    },
    print: (text) => console.log(text),
    note: (text) => console.error(text),
    showProgress: (text) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
    },
  };
}
