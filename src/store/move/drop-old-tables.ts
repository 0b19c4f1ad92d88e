import { type Client, DatabaseError } from "pg";

import type { Clock } from "#platform/clock.ts";

import { inMigration, MigrationError } from "../migration-transaction.ts";
import { findMove } from "./find-move.ts";
import { migrationsBefore } from "./migrate-before-relay.ts";

/** A table that refers to another one comes before it. */
const oldTables = [
  "delivery_events",
  "delivery_batches",
  "deliveries",
  "events",
  "drift",
  "handler_counts",
  "refusals",
  "dead_letters",
  "spent_seals",
  "deauthorizations",
  "data_deletions",
  "lifecycle_runs",
  "lifecycle_experiments",
];

/** Instances of the release before may be idle for so long and still write again. */
const idleHours = 1;

/**
 * Drops the tables of the releases before the schema `relay`, and what carried their rows over; returns whether there were
 * any. Throws `MigrationError` while rows are being moved, if the release before wrote within the last hour, or
 * if something else in the database depends on them.
 */
export function dropOldTables(client: Client, clock: Clock): Promise<boolean> {
  return inMigration(client, clock, async () => {
    const state = await findMove(client);
    if (state === "none") return false;
    if (state !== "moved") throw new MigrationError("its rows are not all moved yet; run relay migrate first");
    await requireIdle(client);
    await dropTables(client);
    await client.query("drop schema relay_move cascade");
    await dropJournal(client);
    return true;
  });
}

async function dropTables(client: Client): Promise<void> {
  try {
    await client.query("drop view public.delivery_chunks");
    for (const table of oldTables) await client.query(`drop table public.${table}`);
  } catch (thrown) {
    // dependent_objects_still_exist: its detail names them.
    if (!(thrown instanceof DatabaseError) || thrown.code !== "2BP01") throw thrown;
    throw new MigrationError(`${thrown.message}: ${thrown.detail ?? ""}`);
  }
}

async function requireIdle(client: Client): Promise<void> {
  const { rows } = await client.query<{ last: Date; idle: boolean }>(
    `select last, last < now() - interval '${idleHours} hour' as idle
     from (select greatest((select max(at) from relay_move.old_writes), (select max(moved_at) from relay_move.parts)) as last) w`,
  );
  const [found] = rows;
  if (found === undefined || found.idle) return;
  throw new MigrationError(
    `the release before wrote into the old tables at ${found.last.toISOString()}, or they were moved then; they can be dropped ${idleHours} hour after its last write`,
  );
}

/** Only our notes: another application that uses drizzle may have its own in this journal. */
async function dropJournal(client: Client): Promise<void> {
  const made = migrationsBefore().map(({ folderMillis }) => folderMillis);
  await client.query("delete from drizzle.__drizzle_migrations where created_at = any($1::bigint[])", [made]);
  const { rowCount } = await client.query("select from drizzle.__drizzle_migrations limit 1");
  if (rowCount === 0) await client.query("drop table drizzle.__drizzle_migrations");
}
