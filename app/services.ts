import { attachDatabasePool } from "@vercel/functions/db-connections";

import { type PathFaults, readPathFaults } from "#dashboard/read-path.ts";
import { createRelayAddressReader } from "#dashboard/relay-address.ts";
import { systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { type Database, openDatabase, type OpenDatabase, openReads } from "#store/database.ts";

import { log } from "./log.ts";

let database: OpenDatabase | undefined;
let reads: OpenDatabase | undefined;
const readRelayAddress = createRelayAddressReader({
  fetch,
  clock: systemClock,
  log,
});

/** What stands in the way of every delivery. */
export function findPathFaults(): Promise<PathFaults> {
  return readPathFaults(process.env, readRelayAddress);
}

/** The process's connections for ingestion, reports and health; opened on first use: a build needs no address. */
export function getDatabase(): OpenDatabase {
  if (database === undefined) {
    const env = readEnv(process.env, ["DATABASE_URL", "DATABASE_POOL_MAX"]);
    database = openDatabase(env.DATABASE_URL, { connectionsMax: env.DATABASE_POOL_MAX, attach: attachDatabasePool });
  }
  return database;
}

/** For pages and /api/ops: connections of their own, so that no search takes one from ingestion. */
export function getReads(): Database {
  reads ??= openReads(readEnv(process.env, ["DATABASE_URL"]).DATABASE_URL, { attach: attachDatabasePool });
  return reads.db;
}
