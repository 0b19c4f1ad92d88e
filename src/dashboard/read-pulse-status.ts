import { sql } from "drizzle-orm";

import type { Database } from "#store/database.ts";

import type { PulseStatus } from "./read-pulse.ts";

/** `attention` while a group of dead letters is open. */
export async function readPulseStatus(db: Database): Promise<PulseStatus> {
  const { rows } = await db.execute<{ open: boolean }>(
    sql`select exists (select from relay.dead_letter_groups where state = 'open') as open`,
  );
  return rows[0]?.open === true ? "attention" : "ok";
}
