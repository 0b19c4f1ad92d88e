import { attachDatabasePool } from "@vercel/functions/db-connections";

import { readEnv } from "#platform/env.ts";
import { openDatabase, type OpenDatabase } from "#store/database.ts";

let database: OpenDatabase | undefined;

/** The process's one pool of connections; opened on first use, so that a build needs no address. */
export function getDatabase(): OpenDatabase {
  database ??= openDatabase(readEnv(process.env, ["DATABASE_URL"]).DATABASE_URL, attachDatabasePool);
  return database;
}
