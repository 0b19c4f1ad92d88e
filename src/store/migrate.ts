import { Client } from "pg";

import { type Clock, systemClock } from "#platform/clock.ts";
import { explicitTls } from "#platform/explicit-tls.ts";

import { applyMigrations, findPending } from "./apply-migrations.ts";
import { inMigration } from "./migration-transaction.ts";
import { findMove } from "./move/find-move.ts";
import { type MoveProgress, moveStore } from "./move/move-store.ts";

export interface MigrateOptions {
  clock?: Clock;
  /** Called after each step while rows of an earlier release are moved. */
  onProgress?: (progress: MoveProgress) => void;
}

/**
 * Brings the schema `relay` up to date. In a database of a release before this schema it first moves all rows there, in
 * steps; whatever ends it, the next call continues. Idempotent, and safe to call from several processes at once and
 * through a pooler in transaction mode; if nothing is to be done, a role without the right to create anything suffices.
 * Throws `MigrationError` if the schema holds tables that the relay has not made, and the driver's error if the database
 * cannot be used.
 */
export async function migrateStore(databaseUrl: string, options: MigrateOptions = {}): Promise<void> {
  const { clock = systemClock, onProgress = () => {} } = options;
  await withClient(databaseUrl, async (client) => {
    if ((await findPending(client)).length === 0) return;
    if ((await findMove(client)) !== "none") await moveStore(client, clock, onProgress);
    await inMigration(client, clock, () => applyMigrations(client, clock.nowMs()));
  });
}

/** Runs `work` with a connection of its own. */
export async function withClient<T>(databaseUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: explicitTls(databaseUrl), connectionTimeoutMillis: 8_000 });
  // Without a listener, a connection that breaks between two statements would end the process.
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
