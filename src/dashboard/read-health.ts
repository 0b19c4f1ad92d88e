import { readPublishState } from "#operations/condition/read-publish-state.ts";
import { type Clock, settleWithin } from "#platform/clock.ts";
import { canWrite } from "#store/can-write.ts";
import type { Database } from "#store/database.ts";

import { type MaintenanceFacts, readMaintenanceFacts } from "./read-open-work.ts";

export interface Health extends MaintenanceFacts {
  status: "ok" | "down";
  store: "ok" | "down";
  queue: "ok" | "failing" | "unknown";
  version: string;
}

const unknown: MaintenanceFacts = { maintenanceRanAt: null, ingestionPausedSince: null };

const answerWithinMs = 2_000;

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
    inTime(readPublishState(db, clock.nowMs())),
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
