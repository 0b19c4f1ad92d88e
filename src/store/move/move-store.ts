import { readFileSync } from "node:fs";

import type { Client } from "pg";

import { type Clock, sleep } from "#platform/clock.ts";

import { applyMigrations } from "../apply-migrations.ts";
import { inMigration, isLockConflict } from "../migration-transaction.ts";
import { ensurePartitions, eventsPerPartition } from "../retention/partitions.ts";
import { findMove } from "./find-move.ts";
import { migrateBeforeRelay } from "./migrate-before-relay.ts";

/** How far a move is. */
export interface MoveProgress {
  /** The table that is being copied. */
  table: (typeof parts)[number];
  /** How many of its rows are copied, those of earlier calls included. */
  rows: number;
  /** Postgres's estimate of how many it has. */
  rowsExpected: number;
  /** Whether it is complete. */
  done: boolean;
}

/** Tables whose rows are copied in steps, in this order. The others are small and are copied at the start or the end. */
const parts = ["events", "deliveries", "dead_letters", "refusals"] as const;

/** Of one step. A write of the release before waits at most so long for a row that is being copied. */
const stepMs = { min: 100, max: 300 };
const stepRows = { min: 100, first: 1_000, max: 10_000 };
const conflictsMax = 300;
const conflictPauseMs = 100;

/**
 * Moves the rows of the releases before the schema `relay` into it, while instances of the last of them continue to work.
 * Begins, or continues where an earlier call ended; several calls at once share the work. The schema gets its name at the
 * end, so that the new release finds nothing until everything is there.
 */
export async function moveStore(
  client: Client,
  clock: Clock,
  onProgress: (progress: MoveProgress) => void,
): Promise<void> {
  await inMigration(client, clock, async () => {
    if ((await findMove(client)) === "due") await migrateBeforeRelay(client);
  });
  await inMigration(client, clock, async () => {
    if ((await findMove(client)) === "due") await beginMove(client, clock.nowMs());
  });
  for (const table of parts) await copyTable(client, clock, table, onProgress);
  await inMigration(client, clock, () => analyze(client));
  await inMigration(client, clock, async () => {
    if ((await findMove(client)) === "begun") await client.query(readSql("finish"));
  });
}

/** Makes the new tables and the triggers on the old ones, all in one transaction. */
async function beginMove(client: Client, nowMs: number): Promise<void> {
  await applyMigrations(client, nowMs);
  const { rows } = await client.query<{ last: string }>("select last_value::text as last from public.events_id_seq");
  // Also for the ids that were given already.
  for (let id = 1; id < Number(rows[0]?.last); id += eventsPerPartition) {
    await client.query("select setval('relay.event_ids', $1)", [id]);
    await ensurePartitions(client, nowMs);
  }
  await client.query(readSql("carry-over"));
  await client.query(readSql("triggers"));
  await client.query("alter schema relay rename to relay_next");
}

async function copyTable(
  client: Client,
  clock: Clock,
  table: MoveProgress["table"],
  onProgress: (progress: MoveProgress) => void,
): Promise<void> {
  const rowsExpected = await estimateRows(client, table);
  let size = stepRows.first;
  for (let conflicts = 0; ;) {
    // Another migrator may have ended the move.
    if ((await findMove(client)) !== "begun") return;
    const startedMs = clock.monotonicMs();
    const step = await copyStep(client, table, size);
    if (step === null) {
      if (++conflicts > conflictsMax) throw new Error(`The rows of ${table} stay locked`);
      size = Math.max(stepRows.min, Math.floor(size / 2));
      await sleep(clock, conflictPauseMs);
      continue;
    }
    conflicts = 0;
    onProgress({ table, ...step, rowsExpected });
    if (step.done) return;
    const tookMs = clock.monotonicMs() - startedMs;
    if (tookMs > stepMs.max) size = Math.max(stepRows.min, Math.floor(size / 2));
    if (tookMs < stepMs.min) size = Math.min(stepRows.max, size * 2);
  }
}

/** A transaction of its own; resolves with null if rows of the step are locked. */
async function copyStep(client: Client, table: string, size: number): Promise<{ rows: number; done: boolean } | null> {
  try {
    const { rows } = await client.query<{ rows: string; done: boolean }>(
      "select rows::text, done from relay_move.copy_step($1, $2)",
      [table, size],
    );
    return { rows: Number(rows[0]?.rows), done: rows[0]?.done === true };
  } catch (thrown) {
    if (isLockConflict(thrown)) return null;
    throw thrown;
  }
}

/** Else the server plans the first reads for empty tables. */
async function analyze(client: Client): Promise<void> {
  if ((await findMove(client)) !== "begun") return;
  for (const table of ["event_keys", ...parts]) {
    await client.query(`analyze relay_next.${table}`);
  }
}

async function estimateRows(client: Client, table: string): Promise<number> {
  const { rows } = await client.query<{ estimate: number }>(
    "select greatest(reltuples, 0)::float8 as estimate from pg_class where oid = to_regclass('public.' || $1)",
    [table],
  );
  return rows[0]?.estimate ?? 0;
}

function readSql(name: "carry-over" | "triggers" | "finish"): string {
  return readFileSync(new URL(`./${name}.sql`, import.meta.url), "utf8");
}
