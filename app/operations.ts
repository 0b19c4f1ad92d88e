// What operations run on: maintenance, replays, dead letters, pausing.
import { otlpParts } from "#dashboard/metrics/otlp/otlp-part.ts";
import { reclassify } from "#instagram/data/reclassify.ts";
import { alertsPart, runAlerts } from "#operations/alerts/run-alerts.ts";
import { resumeBackfills } from "#operations/backfill/advance-backfill.ts";
import { createMaintenanceParts } from "#operations/maintenance-parts.ts";
import { type MaintenanceResult, runMaintenance } from "#operations/maintenance.ts";
import type { Operations } from "#operations/operations.ts";
import { probesPart } from "#operations/probing.ts";
import { runProbes } from "#operations/run-probes.ts";
import { readEnv } from "#platform/env.ts";
import { continueErasures } from "#privacy/continue-erasures.ts";

import { openAlerting } from "./alerts.ts";
import { openBackfilling } from "./backfills.ts";
import { getDatabase, getReads } from "./database.ts";
import { clock, log } from "./log.ts";
import { openProbing } from "./probes.ts";
import { wakeDrain } from "./queue/node/postgres.ts";
import { openMessagePublisher, openQueuePause, openUsedQstashApi } from "./queue/queue.ts";
import { openErasureApi } from "./services.ts";

/** Throws `ENV_INVALID`. */
export function openOperations(): Operations {
  return {
    db: getDatabase(),
    publisher: openMessagePublisher(),
    reclassify,
    newId: () => crypto.randomUUID(),
    clock,
    log,
  };
}

/** What pausing and resuming needs. Throws `ENV_INVALID`. */
export function openPause() {
  return { db: getDatabase(), queue: openQueuePause(), nowMs: clock.nowMs(), log };
}

/** Throws `ENV_INVALID`. */
export async function maintain(): Promise<MaintenanceResult> {
  const env = readEnv(process.env, [
    "RELAY_URL",
    "PAYLOAD_RETENTION_DAYS",
    "DELIVERY_RETENTION_DAYS",
    "UNSENT_MESSAGES",
  ]);
  const operations = openOperations();
  const api = openUsedQstashApi();
  const parts = createMaintenanceParts({
    operations,
    api,
    relayUrls: env.RELAY_URL,
    pause: openQueuePause(),
    wakeDrain,
    retention: { payloadDays: env.PAYLOAD_RETENTION_DAYS, deliveryDays: env.DELIVERY_RETENTION_DAYS },
  });
  const erasures = { db: operations.db, api: openErasureApi(), clock, log, unsentMessages: env.UNSENT_MESSAGES };
  parts.push({ name: "erasures", run: (deadlineMs, last) => continueErasures(erasures, deadlineMs, last) });
  parts.push({ name: "backfills", run: (deadlineMs) => resumeBackfills(openBackfilling(), deadlineMs) });
  parts.push({ name: alertsPart, run: () => runAlerts(openAlerting()) });
  parts.push(...otlpParts(process.env, getReads, { fetch, clock }));
  // The last, because it takes seconds and nothing depends on it.
  parts.push({ name: probesPart, run: async (deadlineMs, last) => runProbes(openProbing(), deadlineMs, last) });
  return runMaintenance({ db: operations.db, parts, clock, log });
}
