import { lt, sql } from "drizzle-orm";

import type { RefusalCounts } from "#measurements/report.ts";

import type { Database } from "../connection/database.ts";
import { storableInteger } from "../connection/storable.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { refusals } from "../schema/figures-schema.ts";

/** A day more than the longest window that the dashboard shows. */
const keptMs = 31 * 24 * 60 * 60_000;

/** Old rows are deleted by one insert in so many. */
const insertsPerDeletion = 100;

/**
 * Adds one report's counts, to the measurements, too; now and then deletes rows of more than a month ago. Both go by `nowMs`, the server's clock:
 * a report's own time may be wrong, so one of the future counts as of now. Throws `STORE_UNAVAILABLE`.
 */
export async function saveRefusals(
  db: Database,
  { runtime, atMs, counts }: RefusalCounts,
  nowMs: number,
): Promise<void> {
  const at = new Date(Math.min(atMs, nowMs));
  const rows = Object.entries(counts).map(([reason, count]) => ({
    at,
    runtime,
    reason,
    count: storableInteger(count),
  }));
  if (rows.length === 0) return;
  const facts = rows.map(({ reason, count }) => ["refusal", count, reason] as const);
  await withStoreErrors(async () => {
    const { rows: inserted } = await db.execute<{ id: number }>(sql`
      with measured as (
        insert into relay.measurements (at, runtime, probe, facts)
        values (${at.toISOString()}, ${runtime}, false, ${JSON.stringify({ counts: facts })})
      ), saved as ${db.insert(refusals).values(rows).returning({ id: refusals.id })}
      select id::float8 as id from saved
    `);
    if (inserted.every(({ id }) => id % insertsPerDeletion !== 0)) return;
    await db.delete(refusals).where(lt(refusals.at, new Date(nowMs - keptMs)));
  });
}
