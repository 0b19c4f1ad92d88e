import { readMaintenanceFacts } from "#operations/condition/read-maintenance-facts.ts";
import { readPublishState } from "#operations/condition/read-publish-state.ts";
import { type Clock, settleWithin } from "#platform/clock.ts";
import { canWrite } from "#store/connection/can-write.ts";
import type { Database } from "#store/connection/database.ts";
import { findStoreFault } from "#store/connection/find-store-fault.ts";

export interface Health {
  status: "ok" | "down";
  store: "ok" | "down";
  queue: "ok" | "failing" | "unknown";
  /** When a part of maintenance last ran; null if none ever did, or if that is unknown. */
  maintenanceRanAt: string | null;
  /** Since when the queue holds the batches back; null if it does not, or if that is unknown. */
  ingestionPausedSince: string | null;
  version: string;
  /** Why the store is down, and what to do; only then. */
  error?: { code: "STORE_UNAVAILABLE"; message: string };
}

const answerWithinMs = 2_000;

/**
 * Whether the store accepts writes in time, how the newest forwards ended, when maintenance last ran, and since when
 * ingestion is paused. Never calls the queue, never rejects.
 */
export async function readHealth(db: Database, clock: Clock, version: string): Promise<Health> {
  const inTime = <T>(answer: Promise<T>) =>
    settleWithin(
      clock,
      answerWithinMs,
      answer.catch(() => undefined),
    );
  // One after the other: with both at once a check would take two connections.
  const isWritable = await inTime(canWrite(db));
  const fault = isWritable === undefined ? undefined : await inTime(findStoreFault(db.$client));
  if (isWritable !== true || fault?.isDown === true) {
    const message = fault ? `${fault.cause} ${fault.remedy}` : "Postgres does not answer, or refuses to store.";
    return {
      status: "down",
      store: "down",
      queue: "unknown",
      maintenanceRanAt: null,
      ingestionPausedSince: null,
      version,
      error: { code: "STORE_UNAVAILABLE", message },
    };
  }
  const [queue, facts] = await Promise.all([
    inTime(readPublishState(db, clock.nowMs())),
    inTime(readMaintenanceFacts(db)),
  ]);
  return {
    status: "ok",
    store: "ok",
    queue: queue ?? "unknown",
    maintenanceRanAt: facts?.maintenance?.ranAt ?? null,
    ingestionPausedSince: facts?.pause?.since ?? null,
    version,
  };
}
