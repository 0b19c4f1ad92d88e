import { sql } from "drizzle-orm";

import { type Clock, settleWithin } from "#platform/clock.ts";
import type { ForwardOutcome } from "#platform/delivery.ts";
import { canWrite } from "#store/can-write.ts";
import type { Database } from "#store/database.ts";
import { deliveryOutcomes } from "#store/delivery-outcomes.ts";

import { type MaintenanceFacts, readMaintenanceFacts } from "./read-open-work.ts";

export interface Health extends MaintenanceFacts {
  status: "ok" | "down";
  store: "ok" | "down";
  queue: "ok" | "failing" | "unknown";
  version: string;
}

const unknown: MaintenanceFacts = { maintenanceRanAt: null, ingestionPausedSince: null };

const answerWithinMs = 2_000;
const recentMs = 15 * 60_000;
const newestConsidered = 20;

/**
 * Whether the store accepts writes in time, how the newest forwards ended, when maintenance last ran, and since when
 * ingestion is paused. Never calls QStash, never rejects.
 */
export async function readHealth(db: Database, clock: Clock, version: string): Promise<Health> {
  const inTime = <T>(answer: Promise<T>) =>
    settleWithin(
      clock,
      answerWithinMs,
      answer.catch(() => undefined),
    );
  if ((await inTime(canWrite(db))) !== true) {
    return { status: "down", store: "down", queue: "unknown", ...unknown, version };
  }
  const [queue, maintenance] = await Promise.all([
    inTime(readQueueHealth(db, new Date(clock.nowMs() - recentMs))),
    inTime(readMaintenanceFacts(db)),
  ]);
  return {
    status: "ok",
    store: "ok",
    queue: queue ?? "unknown",
    ...(maintenance ?? unknown),
    version,
  };
}

/**
 * `failing` if the newest three forwards that tried QStash were not published, or more than half of the newest twenty.
 * The first rule notices an outage at once, the second a queue that works only now and then.
 */
async function readQueueHealth(db: Database, since: Date): Promise<Health["queue"]> {
  const { rows: forwards } = await db.execute<{ became: ForwardOutcome }>(sql`
    select became
    from ${deliveryOutcomes()} d
    -- An event too large for QStash goes to the fallback without an attempt, which says nothing about the queue.
    where received_at >= ${since.toISOString()}::timestamptz and attempts is distinct from 0 and became is not null
    order by received_at desc
    limit ${newestConsidered}
  `);
  if (forwards.length === 0) return "unknown";
  const failed = forwards.map(({ became }) => became !== "published");
  const lastThreeFailed = failed.length >= 3 && failed.slice(0, 3).every(Boolean);
  return lastThreeFailed || failed.filter(Boolean).length > failed.length / 2 ? "failing" : "ok";
}
