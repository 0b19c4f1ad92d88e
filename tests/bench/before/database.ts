import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import { Pool } from "pg";

export type { Transaction } from "./transaction.ts";

export type Database = Omit<NodePgDatabase, "transaction"> & { $client: Pool };

/** With as many connections as the previous release had in each process. */
export function openDatabaseBefore(databaseUrl: string, connectionsMax = 5): { db: Database; close(): Promise<void> } {
  const pool = new Pool({ connectionString: databaseUrl, max: connectionsMax });
  pool.on("error", () => {});
  return { db: drizzle(pool), close: () => pool.end() };
}
