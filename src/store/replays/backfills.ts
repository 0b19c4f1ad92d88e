import { type SQL, sql } from "drizzle-orm";

import { RelayError } from "#platform/errors.ts";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import {
  type Backfill,
  backfillColumns,
  type BackfillState,
  isDue,
  isFree,
  isLeft,
  shownState,
} from "./backfill-row.ts";

type NewBackfill = Pick<
  Backfill,
  "id" | "accounts" | "kinds" | "sinceMs" | "untilMs" | "reason" | "actor" | "plan" | "position" | "counts"
>;

/** Throws `STORE_UNAVAILABLE`. */
export async function createBackfill(db: Database, backfill: NewBackfill): Promise<Backfill> {
  const { id, accounts, kinds, sinceMs, untilMs, reason, actor, plan, position, counts } = backfill;
  const json = (value: unknown) => sql`${JSON.stringify(value)}::json`;
  await withStoreErrors(() =>
    db.execute(sql`
      insert into relay.backfills (id, accounts, kinds, since, until, reason, actor, plan, position, counts)
      values (${id}, ${json(accounts)}, ${sql.param(kinds)}::text[], ${at(sinceMs)}, ${at(untilMs)}, ${reason}, ${actor},
        ${json(plan)}, ${json(position)}, ${json(counts)})`),
  );
  return readBackfill(db, id);
}

/** Throws `NOT_FOUND` and `STORE_UNAVAILABLE`. */
export async function readBackfill(db: Database, id: string): Promise<Backfill> {
  const { rows } = await withStoreErrors(() =>
    db.execute(sql`select ${backfillColumns} from relay.backfills b where b.id = ${id}`),
  );
  if (rows[0] === undefined) throw new RelayError("NOT_FOUND", "There is no such backfill");
  return rows[0] as unknown as Backfill;
}

export interface BackfillListOptions {
  limit: number;
  state?: BackfillState | undefined;
  /** The last backfill of the page before: this one begins after it. */
  before?: { atMs: number; id: string } | undefined;
}

/** The newest backfills. Throws `STORE_UNAVAILABLE`. */
export async function readBackfills(db: Database, options: BackfillListOptions): Promise<Backfill[]> {
  const { limit, before } = options;
  const conditions = [
    sql`true`,
    ...(options.state === undefined ? [] : [sql`${shownState} = ${options.state}`]),
    ...(before === undefined ? [] : [sql`(b.created_at, b.id) < (${at(before.atMs)}, ${before.id})`]),
  ];
  const { rows } = await withStoreErrors(() =>
    db.execute(sql`
      select ${backfillColumns} from relay.backfills b where ${sql.join(conditions, sql` and `)}
      order by b.created_at desc, b.id desc limit ${limit}`),
  );
  return rows as unknown as Backfill[];
}

/** Starts a planned or stopped backfill at this position; undefined if it is neither. Throws `STORE_UNAVAILABLE`. */
export function startBackfill(db: Database, id: string, position: unknown): Promise<Backfill | undefined> {
  return change(
    db,
    sql`set state = 'running', started_at = coalesce(b.started_at, now()), heartbeat_at = now(), due_at = now(), strikes = 0,
      stopped_because = null, lease_id = null, leased_until = null, position = ${JSON.stringify(position)}::json
      where b.id = ${id} and b.state in ('planned', 'stopped')`,
  );
}

export interface BackfillLease {
  leaseId: string;
  leaseMs: number;
  /** The lease of the step before, as its message names it; null: only if nothing advances the backfill. */
  after: string | null;
}

/**
 * Takes the right to advance a backfill that runs and is due; undefined if another process has it, or the message is not
 * that of the last step. Throws `STORE_UNAVAILABLE`.
 */
export function takeBackfill(
  db: Database,
  id: string,
  { leaseId, leaseMs, after }: BackfillLease,
): Promise<Backfill | undefined> {
  const isNext = after === null ? sql`(${isLeft} or b.lease_id is null)` : sql`b.lease_id = ${after}::uuid`;
  return change(
    db,
    sql`set lease_id = ${leaseId}::uuid, leased_until = now() + ${leaseMs} * interval '1 millisecond', heartbeat_at = now()
      where b.id = ${id} and b.state = 'running' and ${isDue} and ${isFree} and ${isNext}`,
  );
}

/** What a step changes beside the lease. */
export interface BackfillProgress {
  position: unknown;
  counts: Record<string, number>;
}

/** Records a page that was read, and renews the lease; false if the lease was lost or the backfill ended. Throws `STORE_UNAVAILABLE`. */
export async function saveBackfill(
  db: Database,
  { id, leaseId }: Pick<Backfill, "id" | "leaseId">,
  { position, counts, leaseMs }: BackfillProgress & { leaseMs: number },
): Promise<boolean> {
  const saved = await change(
    db,
    sql`set position = ${JSON.stringify(position)}::json, counts = ${JSON.stringify(counts)}::json, strikes = 0,
      heartbeat_at = now(), leased_until = now() + ${leaseMs} * interval '1 millisecond'
      where b.id = ${id} and b.state = 'running' and b.lease_id = ${leaseId}::uuid`,
  );
  return saved !== undefined;
}

/** Gives the lease back; the next step comes after `delayMs`. Undefined if the lease was lost. Throws `STORE_UNAVAILABLE`. */
export function releaseBackfill(
  db: Database,
  { id, leaseId }: Pick<Backfill, "id" | "leaseId">,
  { delayMs, strikes }: { delayMs: number; strikes: number },
): Promise<Backfill | undefined> {
  return change(
    db,
    sql`set leased_until = null, heartbeat_at = now(), due_at = now() + ${delayMs} * interval '1 millisecond', strikes = ${strikes}
      where b.id = ${id} and b.state = 'running' and b.lease_id = ${leaseId}::uuid`,
  );
}

/**
 * Ends a backfill: its own step by `leaseId`, anyone without. Only a stopped one goes on later. Undefined if it had ended, or
 * the lease was lost. Throws `STORE_UNAVAILABLE`.
 */
export function endBackfill(
  db: Database,
  id: string,
  end: { state: "stopped" | "cancelled" | "finished"; because: string | null; leaseId?: string | null },
): Promise<Backfill | undefined> {
  const isMine =
    end.leaseId === undefined ? sql`true` : sql`(b.state = 'running' and b.lease_id = ${end.leaseId}::uuid)`;
  return change(
    db,
    sql`set state = ${end.state}, stopped_because = ${end.because}, leased_until = null, due_at = null, heartbeat_at = now(),
      finished_at = ${end.state === "stopped" ? sql`null` : sql`now()`}
      where b.id = ${id} and b.state in ('planned', 'running', 'stopped') and ${isMine}`,
  );
}

/** Those that nothing advances. Throws `STORE_UNAVAILABLE`. */
export async function readLeftBackfills(db: Database): Promise<Backfill[]> {
  const { rows } = await withStoreErrors(() =>
    db.execute(sql`
      select ${backfillColumns} from relay.backfills b where b.state = 'running' and ${isLeft} order by b.created_at limit 20`),
  );
  return rows as unknown as Backfill[];
}

/** So many are named in a sentence. */
const unendedMax = 20;

/** Those that run, and those that stopped within a week, the newest first. Throws `STORE_UNAVAILABLE`. */
export async function readUnendedBackfills(db: Database, nowMs: number): Promise<Backfill[]> {
  const { rows } = await withStoreErrors(() =>
    db.execute(sql`
      select ${backfillColumns} from relay.backfills b
      where b.state = 'running' or (b.state = 'stopped' and b.heartbeat_at > ${at(nowMs - weekMs)})
      order by b.created_at desc limit ${unendedMax}`),
  );
  return rows as unknown as Backfill[];
}

const weekMs = 7 * 24 * 60 * 60_000;

async function change(db: Database, assignment: SQL): Promise<Backfill | undefined> {
  const { rows } = await withStoreErrors(() =>
    db.execute(sql`update relay.backfills b ${assignment} returning ${backfillColumns}`),
  );
  return rows[0] as unknown as Backfill | undefined;
}

function at(atMs: number): SQL {
  return sql`${new Date(atMs).toISOString()}::timestamptz`;
}
