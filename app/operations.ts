// What operations run on: maintenance, replays, dead letters, pausing.
import { reclassify } from "#instagram/data/reclassify.ts";
import { alertsPart, runAlerts } from "#operations/alerts/run-alerts.ts";
import { resumeBackfills } from "#operations/backfill/advance-backfill.ts";
import { createMaintenanceParts } from "#operations/maintenance-parts.ts";
import { type MaintenanceResult, runMaintenance } from "#operations/maintenance.ts";
import type { Operations } from "#operations/operations.ts";
import { probesPart } from "#operations/probing.ts";
import { runProbes } from "#operations/run-probes.ts";
import { readEnv } from "#platform/env.ts";
import { createQstashApi, type QstashApi } from "#platform/qstash-api.ts";
import { continueErasures } from "#privacy/continue-erasures.ts";

import { openAlerting } from "./alerts.ts";
import { openBackfilling } from "./backfills.ts";
import { clock, log } from "./log.ts";
import { openProbing } from "./probes.ts";
import { getDatabase, openMessagePublisher } from "./services.ts";

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

/** A page of dead letters has 20 messages with their bodies. */
const answerBytesMax = 40_000_000;

function openQstashApi(): QstashApi {
  const { QSTASH_URL: url, QSTASH_TOKEN: token } = readEnv(process.env, ["QSTASH_URL", "QSTASH_TOKEN"]);
  return createQstashApi({ url, token, timeoutMs: 8_000, fetch, clock, answerBytesMax });
}

/** What pausing and resuming needs. Throws `ENV_INVALID`. */
export function openPause() {
  const { INGESTION_PARALLELISM: parallelism } = readEnv(process.env, ["INGESTION_PARALLELISM"]);
  return { db: getDatabase(), api: openQstashApi(), parallelism, nowMs: clock.nowMs(), log };
}

/** Throws `ENV_INVALID`. */
export async function maintain(): Promise<MaintenanceResult> {
  const env = readEnv(process.env, [
    "RELAY_URL",
    "INGESTION_PARALLELISM",
    "PAYLOAD_RETENTION_DAYS",
    "DELIVERY_RETENTION_DAYS",
    "UNSENT_MESSAGES",
  ]);
  const operations = openOperations();
  const api = openQstashApi();
  const parts = createMaintenanceParts({
    operations,
    api,
    relayUrls: env.RELAY_URL,
    parallelism: env.INGESTION_PARALLELISM,
    retention: { payloadDays: env.PAYLOAD_RETENTION_DAYS, deliveryDays: env.DELIVERY_RETENTION_DAYS },
  });
  const erasures = { db: operations.db, api, clock, log, unsentMessages: env.UNSENT_MESSAGES };
  parts.push({ name: "erasures", run: (deadlineMs, last) => continueErasures(erasures, deadlineMs, last) });
  parts.push({ name: "backfills", run: (deadlineMs) => resumeBackfills(openBackfilling(), deadlineMs) });
  parts.push({ name: alertsPart, run: () => runAlerts(openAlerting()) });
  // The last, because it takes seconds and nothing depends on it.
  parts.push({ name: probesPart, run: async (deadlineMs, last) => runProbes(openProbing(), deadlineMs, last) });
  return runMaintenance({ db: operations.db, parts, clock, log });
}
