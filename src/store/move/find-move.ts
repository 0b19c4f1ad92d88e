import type { Client } from "pg";

import { hasSchema, hasTable } from "../apply-migrations.ts";
import { migrationsBefore } from "./migrate-before-relay.ts";

/** What the database says of a move from the tables of an earlier release. */
export type MoveState =
  /** There is nothing to move. */
  | "none"
  /** There are tables of an earlier release, and nothing else. */
  | "due"
  /** Rows are being copied, or were when it was interrupted. */
  | "begun"
  /** All rows are moved; the old tables are still there, for instances of the release before. */
  | "moved";

/** Reads what is to be moved. */
export async function findMove(client: Client): Promise<MoveState> {
  if (await hasSchema(client, "relay_move")) return (await hasSchema(client, "relay_next")) ? "begun" : "moved";
  return (await isOfEarlierRelease(client)) ? "due" : "none";
}

/** By its journal, in which another application that uses drizzle may write, too. */
async function isOfEarlierRelease(client: Client): Promise<boolean> {
  if (!(await hasTable(client, "drizzle", "__drizzle_migrations"))) return false;
  if (!(await hasTable(client, "public", "events"))) return false;
  const { rowCount } = await client.query("select from drizzle.__drizzle_migrations where created_at = $1", [
    migrationsBefore()[0]?.folderMillis,
  ]);
  return rowCount !== 0;
}
