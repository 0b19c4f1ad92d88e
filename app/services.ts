import { attachDatabasePool } from "@vercel/functions/db-connections";

import { type PathFaults, readPathFaults } from "#dashboard/read-path.ts";
import { createRelayAddressReader } from "#dashboard/relay-address.ts";
import { handlers } from "#handlers/handlers.ts";
import { getProcessWork } from "#ingestion/process-work.ts";
import { createRollUps } from "#operations/roll-up.ts";
import { readDeployment } from "#platform/delivery.ts";
import { readEnv } from "#platform/env.ts";
import type { QstashApi } from "#platform/qstash-api.ts";
import { createErasureApi } from "#privacy/erasure-api.ts";
import { createMessagePublisher, type MessagePublisher } from "#queue/message-publisher.ts";
import { type Database, openDatabase, type OpenDatabase, openReads } from "#store/database.ts";
import { getTrace } from "#tracing/trace.ts";

import { clock, log } from "./log.ts";

const shared = { attach: attachDatabasePool, log };
let database: OpenDatabase | undefined;
let reads: OpenDatabase | undefined;
const readRelayAddress = createRelayAddressReader({ fetch, clock, log });

/** The faults that affect every delivery. Never rejects for a fault. */
export function findPathFaults(): Promise<PathFaults> {
  return readPathFaults(process.env, readRelayAddress);
}

/** The process's connections for ingestion, reports and health. Throws `ENV_INVALID`. Opened on first use: a build has no address. */
export function getDatabase(): Database {
  database ??= openWrites(readEnv(process.env, ["DATABASE_URL", "DATABASE_POOL_MAX"]));
  return database.db;
}

function openWrites(env: { DATABASE_URL: string; DATABASE_POOL_MAX: number }): OpenDatabase {
  return openDatabase(env.DATABASE_URL, { ...shared, connectionsMax: env.DATABASE_POOL_MAX });
}

/** The process's connections for pages and /api/ops, apart from ingestion's. Throws `ENV_INVALID`. */
export function getReads(): Database {
  reads ??= openReads(readEnv(process.env, ["DATABASE_URL"]).DATABASE_URL, shared);
  return reads.db;
}

/** Short roll-ups of measurements, before figures are read and after reports. */
export const rollUps = createRollUps({ openDatabase: getDatabase, clock, log });

/** Publishes QStash messages to our own routes. Throws `ENV_INVALID`. */
export function openMessagePublisher(): MessagePublisher {
  const env = readEnv(process.env, ["QSTASH_URL", "QSTASH_TOKEN", "RELAY_URL", "VERCEL_AUTOMATION_BYPASS_SECRET"]);
  return createMessagePublisher({
    qstashUrl: env.QSTASH_URL,
    token: env.QSTASH_TOKEN,
    relayUrl: env.RELAY_URL[0],
    bypassSecret: env.VERCEL_AUTOMATION_BYPASS_SECRET,
    fetch,
    clock,
  });
}

/** QStash's API for erasing its dead letters; null if its variables are missing. */
export function openErasureApi(): QstashApi | null {
  return createErasureApi(process.env, { fetch, clock });
}

/** What handlers run on, whatever call they belong to. Throws `ENV_INVALID`. */
export function openHandlers() {
  const env = readEnv(process.env, ["HANDLER_TIMEOUT_MS", "HANDLER_CONCURRENCY", "HANDLER_RETRIES", "UNSENT_MESSAGES"]);
  return {
    db: getDatabase(),
    handlers,
    handlerTimeoutMs: env.HANDLER_TIMEOUT_MS,
    concurrency: env.HANDLER_CONCURRENCY,
    retries: env.HANDLER_RETRIES,
    unsentMessages: env.UNSENT_MESSAGES,
    publisher: openMessagePublisher(),
    work: getProcessWork(),
    deployment: readDeployment(process.env),
    random: Math.random,
    newId: () => crypto.randomUUID(),
    trace: getTrace(),
  };
}
