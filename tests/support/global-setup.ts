/**
 * One Postgres for the whole run, in a temporary folder that is gone afterwards, however the run ends; or the one that
 * TEST_POSTGRES_URL names, with a superuser's connection string. TEST_POOLER=pgbouncer puts a pooler before it.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { TestProject } from "vitest/node";

import { openEmbeddedPostgres } from "#local/embedded-postgres.ts";
import { commandLine, isAlive, sendSignal } from "#local/processes.ts";

import { startPgBouncer } from "./pgbouncer.ts";
import { createTemplates, type Templates } from "./templates.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** A superuser's connection string to the maintenance database. */
    postgresUrl: string;
    /** Migrated, empty databases. */
    templates: Templates;
  }
}

const folderPrefix = "relay-tests-";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let serverUrl = "";
  const stopServer = await provideServer((url) => (serverUrl = url));
  const { templates, drop } = await createTemplates(serverUrl);
  project.provide("templates", templates);
  // More connections than any test holds at once.
  const pooler = process.env["TEST_POOLER"] === "pgbouncer" ? await startPgBouncer({ serverUrl, poolSize: 20 }) : null;
  project.provide("postgresUrl", pooler?.through(serverUrl) ?? serverUrl);
  return async () => {
    await drop();
    await pooler?.stop();
    await stopServer?.();
  };
}

async function provideServer(provide: (url: string) => void): Promise<(() => Promise<void>) | undefined> {
  const given = process.env["TEST_POSTGRES_URL"];
  if (given !== undefined) {
    // Another server, an older Postgres say: it is not ours to stop.
    provide(given);
    return undefined;
  }
  removeAbandoned();
  const folder = mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  // As root, Postgres runs as another user, who has to pass through.
  chmodSync(folder, 0o711);
  const postgres = await openEmbeddedPostgres({
    dataDir: join(folder, "postgres"),
    password: randomBytes(16).toString("hex"),
    durable: false,
    maxConnections: 300,
  });
  provide(postgres.url("postgres"));

  // Whatever ends this process without a teardown: the server must not outlive it.
  const abandon = () => {
    sendSignal(postgres.pid, "SIGQUIT");
    // Nothing asynchronous runs any more, and what is still being written to cannot be removed.
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let tries = 0; tries < 100 && isAlive(postgres.pid); tries++) Atomics.wait(pause, 0, 0, 20);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once("exit", abandon);
  process.once("SIGTERM", interrupted);
  process.once("SIGHUP", interrupted);

  return async () => {
    for (const [event, listener] of [
      ["exit", abandon],
      ["SIGTERM", interrupted],
      ["SIGHUP", interrupted],
    ] as const) {
      process.off(event, listener);
    }
    await postgres.remove();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
}

function interrupted(): void {
  process.exit(130);
}

/** What a run that was killed left behind. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(folderPrefix) ? Number(name.slice(folderPrefix.length).split("-")[0]) : Number.NaN;
    if (!Number.isInteger(pid) || isAlive(pid)) continue;
    const folder = join(tmpdir(), name);
    stopAbandoned(join(folder, "postgres", "postmaster.pid"));
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function stopAbandoned(pidFile: string): void {
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
  if (commandLine(pid)?.includes(dirname(pidFile))) sendSignal(pid, "SIGQUIT");
}
