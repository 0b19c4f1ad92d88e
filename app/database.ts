import { attachDatabasePool } from "@vercel/functions/db-connections";

import { readEnv } from "#platform/env.ts";
import { type Database, openDatabase, type OpenDatabase, openReads } from "#store/connection/database.ts";

import { log } from "./log.ts";

const shared = { attach: attachDatabasePool, log };
let database: OpenDatabase | undefined;
let reads: OpenDatabase | undefined;

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
