import { sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";

/** What a part of maintenance did last. */
export interface MaintenancePart {
  name: string;
  ranAt: Date;
  ms: number;
  result: unknown;
  errorName: string | null;
}

/** Longer than any part may take; a process that died in a part holds it for so long. */
const heldMs = 60_000;

/**
 * Takes a part of maintenance for this process; returns its last result, or undefined while another process runs it. A row
 * says who has it rather than an advisory lock: parts make requests, and a lock would hold a connection, and on a pooler a
 * transaction, all the while. Throws `STORE_UNAVAILABLE`.
 */
export async function takePart(db: Database, name: string): Promise<{ last: unknown } | undefined> {
  const { rows } = await withStoreErrors(() =>
    db.execute<{ result: unknown }>(sql`
      insert into relay.maintenance_parts as p (name, ran_at, ms, result) values (${name}, now(), -1, 'null')
      on conflict (name) do update set ran_at = now(), ms = -1
        where p.ms >= 0 or p.ran_at < now() - ${heldMs} * interval '1 millisecond'
      returning result`),
  );
  return rows[0] === undefined ? undefined : { last: rows[0].result };
}

/** Records what a part did and gives it back. Throws `STORE_UNAVAILABLE`. */
export async function finishPart(
  db: Database,
  { name, ms, result, errorName }: Omit<MaintenancePart, "ranAt">,
): Promise<void> {
  await withStoreErrors(() =>
    db.execute(sql`
      update relay.maintenance_parts set ms = ${ms}, result = ${JSON.stringify(result)}::json, error_name = ${errorName}
      where name = ${name}`),
  );
}

/** Records something that maintenance looks after, at once. Throws `STORE_UNAVAILABLE`. */
export async function recordPart(db: Database, name: string, result: unknown): Promise<void> {
  await withStoreErrors(() =>
    db.execute(sql`
      insert into relay.maintenance_parts (name, ran_at, ms, result) values (${name}, now(), 0, ${JSON.stringify(result)}::json)
      on conflict (name) do update set ran_at = now(), ms = 0, result = excluded.result, error_name = null`),
  );
}

/** The parts that have run, by name; `ms` is negative while one runs. */
export async function readParts(db: Database): Promise<MaintenancePart[]> {
  const { rows } = await db.execute(sql`
    select name, extract(epoch from ran_at)::float8 * 1000 as "ranAtMs", ms, result, error_name as "errorName"
    from relay.maintenance_parts where name not like 'diagnosis.%' order by name`);
  return rows.map(({ ranAtMs, ...part }) => ({ ...part, ranAt: new Date(ranAtMs as number) }) as MaintenancePart);
}
