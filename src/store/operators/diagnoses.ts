import { sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { recordPart } from "./maintenance-parts.ts";

/** The last result of a group of the doctor's checks on this relay. */
export interface KeptDiagnosis {
  /** `env`, `queue` or `network`. */
  name: string;
  ranAt: string;
  checks: unknown;
}

/** Beside the parts of maintenance, which `readParts` tells from them by this. */
const prefix = "diagnosis.";

/** Keeps the checks of a group in place of its last ones, so that readers see them too. Throws `STORE_UNAVAILABLE`. */
export async function keepChecks(db: Database, name: string, checks: readonly object[]): Promise<void> {
  await recordPart(db, `${prefix}${name}`, checks);
}

/** The groups that have run, by name. Throws `STORE_UNAVAILABLE`. */
export async function readKeptChecks(db: Database): Promise<KeptDiagnosis[]> {
  const { rows } = await withStoreErrors(() =>
    db.execute<{ name: string; ranAtMs: number; checks: unknown }>(sql`
      select substr(name, ${prefix.length + 1}) as name, extract(epoch from ran_at)::float8 * 1000 as "ranAtMs",
        result as checks
      from relay.maintenance_parts where name like ${`${prefix}%`} order by name`),
  );
  return rows.map(({ ranAtMs, ...kept }) => ({ ...kept, ranAt: new Date(ranAtMs).toISOString() }));
}
