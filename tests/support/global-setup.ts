/**
 * One Postgres for the whole run, in a temporary folder that is gone afterwards, however the run ends; or the one that
 * TEST_POSTGRES_URL names, with a superuser's connection string. TEST_POOLER=pgbouncer puts a pooler before it.
 */
import { rmSync } from "node:fs";

import type { TestProject } from "vitest/node";

import { openEmbeddedPostgres } from "#local/embedded-postgres.ts";

import { atExit, exitOnSignals } from "./at-exit.ts";
import { startPgBouncer } from "./pgbouncer.ts";
import { openPostgresPlace } from "./postgres-place.ts";
import { createTemplates, type Templates } from "./templates.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** A superuser's connection string to the maintenance database. */
    postgresUrl: string;
    /** Migrated, empty databases. */
    templates: Templates;
  }
}

export default function setup(project: TestProject): Promise<() => Promise<void>> {
  // Vitest's own, which it leaves behind where a signal ends it.
  atExit(() => rmSync(project.tmpDir, { recursive: true, force: true }));
  return setUpPostgres(project);
}

/** Resolves with what stops and removes it. From then on a signal ends the process, and Postgres with it. */
export async function setUpPostgres(project: Pick<TestProject, "provide">): Promise<() => Promise<void>> {
  exitOnSignals();
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
  const place = openPostgresPlace();
  const postgres = await openEmbeddedPostgres({ ...place.options, durable: false, maxConnections: 300 });
  provide(postgres.url("postgres"));
  return async () => {
    await postgres.remove();
    place.remove();
  };
}
