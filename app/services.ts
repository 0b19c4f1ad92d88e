import { attachDatabasePool } from "@vercel/functions/db-connections";

import { type PathFaults, readPathFaults } from "#dashboard/read-path.ts";
import { createRelayAddressReader } from "#dashboard/relay-address.ts";
import { handlers } from "#handlers/handlers.ts";
import { readEnv } from "#platform/env.ts";
import { type Database, openDatabase, type OpenDatabase, openReads } from "#store/database.ts";
import { getTrace } from "#tracing/trace.ts";

import { clock, log } from "./log.ts";

/** The limit for one run of a user's handler. */
const handlerTimeoutMs = 10_000;

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

/** What both ways of ingestion run on. Throws `ENV_INVALID`. */
export function openIngest() {
  return { db: getDatabase(), handlers, handlerTimeoutMs, trace: getTrace() };
}
