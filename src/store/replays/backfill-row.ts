import { type SQL, sql } from "drizzle-orm";

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
  /** Failures since the last page that was read; below zero, how often Instagram limited in a row. */
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

/** No limit of Instagram's holds it back. */
export const isDue = sql`coalesce(b.due_at <= now() + interval '1 second', true)`;
/** No process has it. */
export const isFree = sql`coalesce(b.leased_until < now(), true)`;
/** Nothing advances it. */
export const isLeft = sql`(${isDue} and ${isFree} and greatest(b.heartbeat_at, b.due_at) < now() - ${stalledAfterMs} * interval '1 millisecond')`;
/** The state that is shown, of a row `b`. */
export const shownState = sql`case when b.state <> 'running' then b.state when not ${isDue} then 'waiting' when ${isLeft} then 'stalled' else b.state end`;
const ms = (column: SQL) => sql`round(extract(epoch from ${column}) * 1000)::float8`;
/** A `Backfill` of a row `b`. */
export const backfillColumns = sql`b.id, ${shownState} as state, b.accounts, b.kinds, ${ms(sql`b.since`)} as "sinceMs", ${ms(sql`b.until`)} as "untilMs",
  b.reason, b.actor, b.plan, b.position, b.counts, b.strikes, ${ms(sql`b.due_at`)} as "dueAtMs", b.lease_id as "leaseId",
  b.stopped_because as "stoppedBecause", ${ms(sql`b.created_at`)} as "createdAtMs", ${ms(sql`b.started_at`)} as "startedAtMs",
  ${ms(sql`b.heartbeat_at`)} as "heartbeatAtMs", ${ms(sql`b.finished_at`)} as "finishedAtMs"`;
