import { type ConditionOptions, readCondition } from "#operations/condition/read-condition.ts";
import type { Database } from "#store/connection/database.ts";
import { readUnendedBackfills } from "#store/replays/backfills.ts";

import { utc } from "../zone.ts";
import { describeStatus } from "./describe-status.ts";
import { readDeploymentChange } from "./read-deployment-change.ts";
import { readLostInMonth } from "./read-lost-in-month.ts";
import { readRefusalTotals } from "./read-refusals.ts";
import { whenIn } from "./status-words.ts";
import type { Status } from "./status.ts";

/** What a status is read with. */
export interface StatusOptions extends ConditionOptions {
  /** The zone of the times in sentences; UTC for programs. */
  zone?: string;
  /** Rolls up for a moment, so that the figures are complete. Never rejects. */
  rollUp: () => Promise<void>;
}

const dayMs = 24 * 3_600_000;

/**
 * How the relay is, in twelve statements at most, each of which uses an index or is bounded. What cannot be read is `unknown`;
 * never rejects because of the store.
 */
export async function readStatus(db: Database, { zone = utc, rollUp, ...options }: StatusOptions): Promise<Status> {
  await rollUp();
  const { nowMs } = options;
  const when = whenIn(zone, nowMs);
  const [condition, lostInMonth, refusedInDay, backfills, deployment] = await Promise.all([
    readCondition(db, options),
    readLostInMonth(db, nowMs).catch(() => null),
    readRefused(db, { fromMs: nowMs - dayMs, toMs: nowMs }).catch(() => null),
    readUnendedBackfills(db, nowMs).catch(() => null),
    readDeploymentChange(db, { nowMs, when }).catch(() => null),
  ]);
  return { ...describeStatus({ condition, lostInMonth, refusedInDay, backfills, when }), deployment };
}

/** Of those that have a signature: what has none is a stranger's. */
async function readRefused(db: Database, window: { fromMs: number; toMs: number }): Promise<number> {
  const totals = await readRefusalTotals(db, window);
  return totals.reduce((sum, { reason, count }) => (reason === "SIGNATURE_MISSING" ? sum : sum + count), 0);
}
