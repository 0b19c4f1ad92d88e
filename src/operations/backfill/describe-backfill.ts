import type { Database } from "#store/connection/database.ts";
import type { Backfill, BackfillState } from "#store/replays/backfill-row.ts";
import { type BackfillListOptions, readBackfill, readBackfills } from "#store/replays/backfills.ts";

import { type BackfillCounts, noCounts, type Position } from "./position.ts";

/** What a backfill would bring, as far as it was counted. */
export interface BackfillPlan extends Omit<BackfillCounts, "inserted"> {
  /** Of what is not stored yet; Meta lets a business answer automatically within 24 hours, a person within 7 days. */
  byKind: Record<string, number>;
  byAge: { lt24h: number; lt7d: number; older: number };
  oldest: string | null;
  newest: string | null;
  /** False if counting ended before the end of the lists: the numbers are then the least that there is. */
  isComplete: boolean;
  /** Sentences for a person. */
  warnings: string[];
  notGivenBack: readonly string[];
}

/** A backfill as the API shows it. Times are ISO 8601. */
export interface DescribedBackfill extends BackfillCounts {
  id: string;
  state: BackfillState;
  accounts: Backfill["accounts"];
  kinds: string[];
  from: string;
  until: string;
  reason: string;
  actor: string;
  plan: BackfillPlan;
  /** The number of the account that is read, from 1; null before the start and after the end. */
  account: number | null;
  /** The first twenty things that `skipped` counts. */
  skippedThings: readonly string[];
  /** While it waits: when Instagram may be asked again. */
  waitsUntil: string | null;
  stoppedBecause: string | null;
  createdAt: string;
  startedAt: string | null;
  heartbeatAt: string | null;
  finishedAt: string | null;
}

/** Never its position, which holds Meta's cursors. */
export function describeBackfill(backfill: Backfill): DescribedBackfill {
  const { id, state, accounts, kinds, reason, actor, stoppedBecause } = backfill;
  const position = backfill.position as Position;
  const hasEnded = state === "planned" || state === "cancelled" || state === "finished";
  return {
    id,
    state,
    accounts,
    kinds,
    from: new Date(backfill.sinceMs).toISOString(),
    until: new Date(backfill.untilMs).toISOString(),
    reason,
    actor,
    plan: backfill.plan as unknown as BackfillPlan,
    ...noCounts,
    ...backfill.counts,
    account: hasEnded ? null : position.account + 1,
    skippedThings: position.skipped ?? [],
    waitsUntil: state === "waiting" ? iso(backfill.dueAtMs) : null,
    stoppedBecause,
    createdAt: new Date(backfill.createdAtMs).toISOString(),
    startedAt: iso(backfill.startedAtMs),
    heartbeatAt: iso(backfill.heartbeatAtMs),
    finishedAt: iso(backfill.finishedAtMs),
  };
}

/** One backfill; throws `NOT_FOUND`. */
export async function readDescribedBackfill(db: Database, id: string): Promise<DescribedBackfill> {
  return describeBackfill(await readBackfill(db, id));
}

/** The newest backfills. */
export async function readDescribedBackfills(db: Database, page: BackfillListOptions): Promise<DescribedBackfill[]> {
  return (await readBackfills(db, page)).map(describeBackfill);
}

function iso(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}
