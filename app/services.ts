import { attachDatabasePool } from "@vercel/functions/db-connections";

import { type PathFaults, readPathFaults } from "#dashboard/read-path.ts";
import { createRelayAddressReader } from "#dashboard/relay-address.ts";
import { systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { createLog, writeToConsole } from "#platform/log.ts";
import { openDatabase, type OpenDatabase } from "#store/database.ts";

let database: OpenDatabase | undefined;
const readRelayAddress = createRelayAddressReader({
  fetch,
  clock: systemClock,
  log: createLog({ clock: systemClock, write: writeToConsole }),
});

/** What stands in the way of every delivery. */
export function findPathFaults(): Promise<PathFaults> {
  return readPathFaults(process.env, readRelayAddress);
}

/** The process's one pool of connections; opened on first use, so that a build needs no address. */
export function getDatabase(): OpenDatabase {
  database ??= openDatabase(readEnv(process.env, ["DATABASE_URL"]).DATABASE_URL, attachDatabasePool);
  return database;
}
