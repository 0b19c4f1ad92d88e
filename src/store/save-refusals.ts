import { lt } from "drizzle-orm";

import type { RefusalCounts } from "#measurements/report.ts";

import type { Database } from "./database.ts";
import { refusals } from "./schema.ts";
import { withStoreErrors } from "./store-error.ts";

/** The longest window that the dashboard shows, and a day. */
const keptMs = 31 * 24 * 60 * 60_000;

/** Adds one report's counts; drops what is older than a month. Throws `STORE_UNAVAILABLE`. */
export async function saveRefusals(db: Database, { runtime, atMs, counts }: RefusalCounts): Promise<void> {
  const rows = Object.entries(counts).map(([reason, count]) => ({ at: new Date(atMs), runtime, reason, count }));
  await withStoreErrors(async () => {
    await db.insert(refusals).values(rows);
    await db.delete(refusals).where(lt(refusals.at, new Date(atMs - keptMs)));
  });
}
