import { type SQL, sql } from "drizzle-orm";

import { RelayError } from "#platform/errors.ts";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { inTransaction } from "../connection/transaction.ts";
import type { ReplayFilter, ReplayMode } from "./replay-filter.ts";

export const replayRunStates = ["planned", "running", "stalled", "cancelled", "finished"] as const;
export type ReplayState = (typeof replayRunStates)[number];

/** One row is plan, run and record. Times are in ms since the epoch. */
export interface Replay {
  id: string;
  /** `stalled`: it runs, but nothing advances it any more; maintenance resumes it. */
  state: ReplayState;
  mode: ReplayMode;
  filter: ReplayFilter;
  reason: string;
  actor: string;
  /** What the operator saw before the start. */
  plan: Record<string, unknown>;
  eventIdMax: number;
  /** The last event that is published. Below 0: the negative of the last never ingested batch, which come first, downwards. */
  cursor: number;
  ratePerMinute: number;
  total: number;
  done: number;
  failed: number;
  skipped: number;
  stoppedBecause: string | null;
  createdAtMs: number;
  startedAtMs: number | null;
  /** When it was last advanced. A step names the heartbeat that it follows, so that of two equal steps only one runs. */
  heartbeatAtMs: number | null;
  finishedAtMs: number | null;
}

/** A step takes some seconds, and the next one comes after at most a minute. */
const stalledAfterMs = 120_000;

const isStalled = sql`(r.state = 'running' and r.heartbeat_at < now() - ${stalledAfterMs} * interval '1 millisecond')`;
const ms = (column: SQL) => sql`round(extract(epoch from ${column}) * 1000)::float8`;
const columns = sql`r.id, case when ${isStalled} then 'stalled' else r.state end as state, r.mode, r.filter, r.reason, r.actor, r.plan,
  r.event_id_max::float8 as "eventIdMax", r.cursor::float8 as cursor, r.rate_per_minute as "ratePerMinute", r.total, r.done, r.failed,
  r.skipped, r.stopped_because as "stoppedBecause", ${ms(sql`r.created_at`)} as "createdAtMs", ${ms(sql`r.started_at`)} as "startedAtMs",
  ${ms(sql`r.heartbeat_at`)} as "heartbeatAtMs", ${ms(sql`r.finished_at`)} as "finishedAtMs"`;

type NewReplay = Pick<
  Replay,
  "id" | "mode" | "filter" | "reason" | "actor" | "plan" | "eventIdMax" | "cursor" | "ratePerMinute" | "total"
>;

/** Throws `STORE_UNAVAILABLE`. */
export async function createReplay(db: Database, replay: NewReplay): Promise<Replay> {
  const { id, mode, filter, reason, actor, plan, eventIdMax, cursor, ratePerMinute, total } = replay;
  await withStoreErrors(() =>
    db.execute(sql`
      insert into relay.replays (id, mode, filter, reason, actor, plan, event_id_max, cursor, rate_per_minute, total)
      values (${id}, ${mode}, ${JSON.stringify(filter)}::json, ${reason}, ${actor}, ${JSON.stringify(plan)}::json, ${eventIdMax},
        ${cursor}, ${ratePerMinute}, ${total})`),
  );
  return readReplay(db, id);
}

/** Throws `NOT_FOUND` and `STORE_UNAVAILABLE`. */
export async function readReplay(db: Database, id: string): Promise<Replay> {
  const { rows } = await withStoreErrors(() =>
    db.execute(sql`select ${columns} from relay.replays r where r.id = ${id}`),
  );
  if (rows[0] === undefined) throw new RelayError("NOT_FOUND", "There is no such replay");
  return rows[0] as unknown as Replay;
}

export interface ReplayListOptions {
  limit: number;
  state?: ReplayState | undefined;
  /** The last replay of the page before: this one begins after it. */
  before?: { atMs: number; id: string } | undefined;
}

/** The newest replays. */
export async function readReplays(db: Database, { limit, state, before }: ReplayListOptions): Promise<Replay[]> {
  const conditions = [
    sql`true`,
    ...(state === undefined ? [] : [sql`case when ${isStalled} then 'stalled' else r.state end = ${state}`]),
    ...(before === undefined
      ? []
      : [sql`(r.created_at, r.id) < (${new Date(before.atMs).toISOString()}::timestamptz, ${before.id})`]),
  ];
  const { rows } = await db.execute(sql`
    select ${columns} from relay.replays r where ${sql.join(conditions, sql` and `)}
    order by r.created_at desc, r.id desc limit ${limit}`);
  return rows as unknown as Replay[];
}

/** Those that nothing advances any more. Throws `STORE_UNAVAILABLE`. */
export async function readStalledReplays(db: Database): Promise<Replay[]> {
  const { rows } = await withStoreErrors(() =>
    db.execute(sql`select ${columns} from relay.replays r where ${isStalled} order by r.created_at limit 20`),
  );
  return rows as unknown as Replay[];
}

/** One statement of `startReplay` at a time, so that of two equal replays one sees the other; an arbitrary constant. */
const startLock = 7_340_127;

/**
 * Starts a planned replay; undefined if it is not planned any more. In mode `again` two replays of the same conditions would
 * run each handler twice: then it returns the id of the one that runs already. Throws `STORE_UNAVAILABLE`.
 */
export async function startReplay(db: Database, replay: Replay): Promise<Replay | { sameAs: string } | undefined> {
  return withStoreErrors(() =>
    inTransaction(db, async (tx) => {
      await tx.execute(sql`select pg_advisory_xact_lock(${startLock})`);
      const { rows: running } = await tx.execute<{ id: string; filter: ReplayFilter }>(
        sql`select id, filter from relay.replays where state = 'running' and mode = 'again'`,
      );
      const same = replay.mode === "again" && running.find(({ filter }) => hasSameConditions(filter, replay.filter));
      if (same) return { sameAs: same.id };
      const { rows } = await tx.execute(sql`
        update relay.replays r set state = 'running', started_at = now(), heartbeat_at = now()
        where r.id = ${replay.id} and r.state = 'planned' returning ${columns}`);
      return rows[0] as unknown as Replay | undefined;
    }),
  );
}

/** Their ends differ by when they were planned. */
function hasSameConditions(one: ReplayFilter, other: ReplayFilter): boolean {
  const conditions = (filter: ReplayFilter) =>
    JSON.stringify(
      Object.entries(filter)
        .filter(([name]) => name !== "to")
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
  return conditions(one) === conditions(other);
}

/** Takes a start back that nothing was published for. Throws `STORE_UNAVAILABLE`. */
export async function unstartReplay(db: Database, { id, heartbeatAtMs }: Replay): Promise<void> {
  await change(
    db,
    sql`set state = 'planned', started_at = null, heartbeat_at = null
      where r.id = ${id} and r.state = 'running' and ${ms(sql`r.heartbeat_at`)} = ${heartbeatAtMs}`,
  );
}

/** A heartbeat while it is being advanced: the one that its message names, and a millisecond. */
const takenMs = 1;

/**
 * Takes the right to advance a running replay, for a message that names its heartbeat; undefined for another heartbeat, and
 * if it does not run any more. `isRetry`: the message was delivered before, and the process that took it may have died. Then
 * two may advance it, and `passReplayOn` lets one of them go on. Throws `STORE_UNAVAILABLE`.
 */
export function takeReplay(
  db: Database,
  id: string,
  { heartbeatAtMs, isRetry }: { heartbeatAtMs: number; isRetry: boolean },
): Promise<Replay | undefined> {
  const heartbeats = sql.param(isRetry ? [heartbeatAtMs, heartbeatAtMs + takenMs] : [heartbeatAtMs]);
  return change(
    db,
    sql`set heartbeat_at = to_timestamp((${heartbeatAtMs + takenMs}::float8) / 1000)
      where r.id = ${id} and r.state = 'running' and ${ms(sql`r.heartbeat_at`)} = any(${heartbeats}::float8[])`,
  );
}

/**
 * Gives a replay that was taken its next heartbeat, for the message of the next step; undefined if another one has, or if it
 * does not run any more. Throws `STORE_UNAVAILABLE`.
 */
export function passReplayOn(db: Database, { id, heartbeatAtMs }: Replay): Promise<Replay | undefined> {
  return change(
    db,
    sql`set heartbeat_at = greatest(now(), r.heartbeat_at + interval '1 millisecond')
      where r.id = ${id} and r.state = 'running' and ${ms(sql`r.heartbeat_at`)} = ${heartbeatAtMs}`,
  );
}

export interface ReplayCounts {
  done: number;
  failed: number;
  skipped: number;
}

/** Ends a running replay, or a planned one by cancelling it; undefined if it had ended. Throws `STORE_UNAVAILABLE`. */
export function endReplay(
  db: Database,
  id: string,
  { state, because, counts }: { state: "cancelled" | "finished"; because: string | null; counts: ReplayCounts },
): Promise<Replay | undefined> {
  return change(
    db,
    sql`set state = ${state}, stopped_because = ${because}, finished_at = now(), done = ${counts.done}, failed = ${counts.failed},
      skipped = ${counts.skipped} where r.id = ${id} and r.state in ('planned', 'running')`,
  );
}

async function change(db: Database, assignment: SQL): Promise<Replay | undefined> {
  const { rows } = await withStoreErrors(() =>
    db.execute(sql`update relay.replays r ${assignment} returning ${columns}`),
  );
  return rows[0] as unknown as Replay | undefined;
}
