import { type SQL, sql } from "drizzle-orm";

import { RelayError } from "#platform/errors.ts";

import type { Database } from "./database.ts";
import { withStoreErrors } from "./store-error.ts";

export const backfillStates = ["planned", "running", "waiting", "stalled", "stopped", "cancelled", "finished"] as const;
/**
 * `waiting`: it runs, and Instagram is not to be asked before `dueAtMs`. `stalled`: it runs, but nothing advances it;
 * maintenance resumes it. `stopped`: a person must do something first, and may then start it again.
 */
export type BackfillState = (typeof backfillStates)[number];

/** An account whose messages or comments are read. */
export interface BackfillAccount {
  id: string;
  username: string | null;
}

/** One row is plan, run and record. Times are in ms since the epoch. */
export interface Backfill {
  id: string;
  state: BackfillState;
  accounts: BackfillAccount[];
  /** The kinds of events that are taken. */
  kinds: string[];
  sinceMs: number;
  untilMs: number;
  reason: string;
  actor: string;
  /** What the operator saw before the start. */
  plan: Record<string, unknown>;
  /** Where the next step goes on. */
  position: unknown;
  counts: Record<string, number>;
  /** Failures since the last page that was read. */
  strikes: number;
  dueAtMs: number | null;
  leaseId: string | null;
  stoppedBecause: string | null;
  createdAtMs: number;
  startedAtMs: number | null;
  heartbeatAtMs: number | null;
  finishedAtMs: number | null;
}

/** A message for the next step is under way for some seconds at most. */
const stalledAfterMs = 30_000;

const isDue = sql`coalesce(b.due_at <= now() + interval '1 second', true)`;
const isFree = sql`coalesce(b.leased_until < now(), true)`;
const isLeft = sql`(${isDue} and ${isFree} and greatest(b.heartbeat_at, b.due_at) < now() - ${stalledAfterMs} * interval '1 millisecond')`;
const state = sql`case when b.state <> 'running' then b.state when not ${isDue} then 'waiting' when ${isLeft} then 'stalled' else b.state end`;
const ms = (column: SQL) => sql`round(extract(epoch from ${column}) * 1000)::float8`;
const columns = sql`b.id, ${state} as state, b.accounts, b.kinds, ${ms(sql`b.since`)} as "sinceMs", ${ms(sql`b.until`)} as "untilMs",
  b.reason, b.actor, b.plan, b.position, b.counts, b.strikes, ${ms(sql`b.due_at`)} as "dueAtMs", b.lease_id as "leaseId",
  b.stopped_because as "stoppedBecause", ${ms(sql`b.created_at`)} as "createdAtMs", ${ms(sql`b.started_at`)} as "startedAtMs",
  ${ms(sql`b.heartbeat_at`)} as "heartbeatAtMs", ${ms(sql`b.finished_at`)} as "finishedAtMs"`;

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
    db.execute(sql`select ${columns} from relay.backfills b where b.id = ${id}`),
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
    ...(options.state === undefined ? [] : [sql`${state} = ${options.state}`]),
    ...(before === undefined ? [] : [sql`(b.created_at, b.id) < (${at(before.atMs)}, ${before.id})`]),
  ];
  const { rows } = await withStoreErrors(() =>
    db.execute(sql`
      select ${columns} from relay.backfills b where ${sql.join(conditions, sql` and `)}
      order by b.created_at desc, b.id desc limit ${limit}`),
  );
  return rows as unknown as Backfill[];
}

/** Starts a planned or stopped backfill; undefined if it is neither. Throws `STORE_UNAVAILABLE`. */
export function startBackfill(db: Database, id: string): Promise<Backfill | undefined> {
  return change(
    db,
    sql`set state = 'running', started_at = coalesce(b.started_at, now()), heartbeat_at = now(), due_at = now(), strikes = 0,
      stopped_because = null, lease_id = null, leased_until = null
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
      select ${columns} from relay.backfills b where b.state = 'running' and ${isLeft} order by b.created_at limit 20`),
  );
  return rows as unknown as Backfill[];
}

async function change(db: Database, assignment: SQL): Promise<Backfill | undefined> {
  const { rows } = await withStoreErrors(() =>
    db.execute(sql`update relay.backfills b ${assignment} returning ${columns}`),
  );
  return rows[0] as unknown as Backfill | undefined;
}

function at(atMs: number): SQL {
  return sql`${new Date(atMs).toISOString()}::timestamptz`;
}
