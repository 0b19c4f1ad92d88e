import { DatabaseError } from "pg";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { eventsPerPartition, partitionEnd, partitionStart, readPartitions } from "./partitions.ts";

export interface Retained {
  /** Partitions that are gone. */
  dropped: string[];
  /** Rows that were deleted one by one. At `rowsPerStep` there may be more. */
  deleted: number;
  /** Partitions whose table others were using; the next step tries again. */
  postponed: string[];
}

/** How many rows a step deletes from one table. */
export const rowsPerStep = 5_000;

/** So long ingestion waits at most for a partition to be dropped, since a waiting lock stops all later ones. */
const lockTimeoutMs = 1_000;

/** Transactions may commit in another order than that of their ids, but not by so much. */
const disorderMs = 60 * 60_000;

/**
 * One step of removing events that were ingested before the time given: whole partitions, and in those that are not full,
 * row by row. Their keys stay for ever, so that none comes again, and so do events whose handlers have not succeeded.
 * Throws `STORE_UNAVAILABLE`.
 */
export async function retainEvents(db: Database, beforeMs: number): Promise<Retained> {
  return withStoreErrors(async () => {
    const retained: Retained = { dropped: [], deleted: 0, postponed: [] };
    const lastId = await readLastId(db);
    let boundary = 0;
    for (const name of await readPartitions(db.$client)) {
      const from = name.startsWith("events_") ? partitionStart(name) : null;
      if (from === null) continue;
      const to = eventsPerPartition * Math.floor(from / eventsPerPartition + 1);
      const end = Math.min(to, lastId + 1);
      if (end <= from) break;
      boundary = await findBoundary(db, name, { from, to: end, beforeMs: beforeMs - disorderMs });
      if (boundary < to) break;
      const unless = `select from relay.event_work where event_id >= ${from} and event_id < ${to}`;
      await dropPartition(db, { parent: "events", name, unless }, retained);
    }
    const isOld = `ingested_at < '${new Date(beforeMs).toISOString()}'`;
    retained.deleted = await deleteRows(
      db,
      "events",
      "id",
      `id < ${boundary} and ${isOld} and not exists (
      select from relay.event_work w where w.event_id = id) order by id`,
    );
    return retained;
  });
}

/**
 * One step of removing deliveries, their batches and links, attempts, resolved dead letters, and pairs of probes from
 * before the time given. Throws `STORE_UNAVAILABLE`.
 */
export async function retainDeliveries(db: Database, beforeMs: number): Promise<Retained> {
  return withStoreErrors(async () => {
    const retained: Retained = { dropped: [], deleted: 0, postponed: [] };
    for (const name of await readPartitions(db.$client)) {
      const [, parent] = /^(deliveries|delivery_attempts|handler_attempts)_/.exec(name) ?? [];
      const end = parent === undefined ? null : partitionEnd(name);
      if (parent === undefined || end === null || end > beforeMs) continue;
      await dropPartition(db, { parent, name, unless: null }, retained);
    }
    const before = `'${new Date(beforeMs).toISOString()}'`;
    // Ids of deliveries are UUIDs of version 7, which begin with their time.
    const ofOldDelivery = `delivery_id < '${Math.floor(beforeMs).toString(16).padStart(12, "0").padEnd(32, "0")}'`;
    const rest = [
      ["deliveries_default", `received_at < ${before}`],
      ["delivery_attempts_default", `at < ${before}`],
      ["handler_attempts_default", `at < ${before}`],
      ["delivery_batches", `${ofOldDelivery} and ingested_at < ${before}`],
      ["duplicate_events", ofOldDelivery],
      ["dead_letters", `resolved_at < ${before}`],
      ["probe_pairs", `at < ${before}`],
    ] as const;
    for (const [table, condition] of rest) retained.deleted += await deleteRows(db, table, "ctid", condition);
    return retained;
  });
}

async function readLastId({ $client }: Database): Promise<number> {
  const { rows } = await $client.query<{ id: string }>("select last_value::text as id from relay.event_ids");
  return Number(rows[0]?.id ?? 0);
}

interface Search {
  from: number;
  to: number;
  beforeMs: number;
}

/** Of a partition the id from which on no event is older, `to` if all are: ids are nearly in the order of time. */
async function findBoundary({ $client }: Database, name: string, { from, to, beforeMs }: Search): Promise<number> {
  const find = async (order: "asc" | "desc", id: number) => {
    const { rows } = await $client.query<{ id: string; at: Date }>(
      `select id::text, ingested_at as at from relay.${name} where id >= $1 order by id ${order} limit 1`,
      [id],
    );
    const [event] = rows;
    return event === undefined ? null : { id: Number(event.id), isOld: event.at.getTime() < beforeMs };
  };
  if ((await find("desc", from))?.isOld !== false) return to;
  let [low, high] = [from, to];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const next = await find("asc", middle);
    if (next?.isOld === true) low = next.id + 1;
    else high = middle;
  }
  return low;
}

interface Dropping {
  parent: string;
  name: string;
  /** A query; the partition stays if it has a row. */
  unless: string | null;
}

async function dropPartition(db: Database, { parent, name, unless }: Dropping, retained: Retained): Promise<void> {
  // The parent first, as every statement that reads it.
  const text = `do $do$ begin
    set local lock_timeout = ${lockTimeoutMs};
    lock table only relay.${parent} in access exclusive mode;
    ${unless === null ? "" : `if exists (${unless}) then return; end if;`}
    drop table if exists relay.${name};
  end $do$`;
  try {
    await db.$client.query(text);
  } catch (thrown) {
    if (!isLockTimeout(thrown)) throw thrown;
    retained.postponed.push(name);
    return;
  }
  const { rows } = await db.$client.query<{ is_there: boolean }>(
    `select to_regclass('relay.${name}') is not null as is_there`,
  );
  if (rows[0]?.is_there === false) retained.dropped.push(name);
}

async function deleteRows(
  { $client }: Database,
  table: string,
  column: "id" | "ctid",
  condition: string,
): Promise<number> {
  const { rowCount } = await $client.query(`delete from relay.${table}
    where ${column} = any (array(select ${column} from relay.${table} where ${condition} limit ${rowsPerStep}))`);
  return rowCount ?? 0;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: lock_not_available */
function isLockTimeout(thrown: unknown): boolean {
  return thrown instanceof DatabaseError && thrown.code === "55P03";
}
