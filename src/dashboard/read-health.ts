import { and, desc, gte, isNull, ne, or, sql } from "drizzle-orm";

import { type Clock, settleWithin } from "#platform/clock.ts";
import { canWrite } from "#store/can-write.ts";
import type { Database } from "#store/database.ts";
import { deliveries } from "#store/schema.ts";

export interface Health {
  status: "ok" | "down";
  store: "ok" | "down";
  queue: "ok" | "failing" | "unknown";
  version: string;
}

const answerWithinMs = 2_000;
const recentMs = 15 * 60_000;
const newestConsidered = 20;

/** Whether the store takes what is written to it, in time, and how the newest forwards fared. QStash itself is never called. */
export async function readHealth(db: Database, clock: Clock, version: string): Promise<Health> {
  const isWritable = await settleWithin(clock, answerWithinMs, canWrite(db));
  if (isWritable !== true) return { status: "down", store: "down", queue: "unknown", version };
  const since = new Date(clock.nowMs() - recentMs);
  const queue = await settleWithin(
    clock,
    answerWithinMs,
    readQueueHealth(db, since).catch(() => undefined),
  );
  return { status: "ok", store: "ok", queue: queue ?? "unknown", version };
}

/**
 * `failing` when the newest three forwards that tried QStash were not published, or more than half of the newest
 * twenty: the first notices an outage at once, the second a queue that works only now and then.
 */
async function readQueueHealth(db: Database, since: Date): Promise<Health["queue"]> {
  const forwards = await db
    // Without a report there is a row only because the delivery was ingested, so it had been published.
    .select({ outcome: sql<string>`coalesce(${deliveries.outcome}, 'published')` })
    .from(deliveries)
    // An event too large for QStash goes to the fallback without an attempt and says nothing about the queue.
    .where(and(gte(deliveries.receivedAt, since), or(isNull(deliveries.attempts), ne(deliveries.attempts, 0))))
    .orderBy(desc(deliveries.receivedAt))
    .limit(newestConsidered);
  if (forwards.length === 0) return "unknown";
  const failed = forwards.map((forward) => forward.outcome !== "published");
  const lastThreeFailed = failed.length >= 3 && failed.slice(0, 3).every(Boolean);
  return lastThreeFailed || failed.filter(Boolean).length > failed.length / 2 ? "failing" : "ok";
}
