import { sql } from "drizzle-orm";

import type { Database } from "./database.ts";
import { withStoreErrors } from "./store-error.ts";

/** A session that has begun. Times are in ms since the epoch. */
export interface Session {
  id: string;
  /** The name of the token that signed it. */
  name: string;
  /** The network that it began from. */
  address: string;
  createdAtMs: number;
  expiresAtMs: number;
}

const instantOf = (ms: number) => sql`${new Date(ms).toISOString()}::timestamptz`;
const msOf = (name: "created_at" | "expires_at") => sql`(extract(epoch from ${sql.identifier(name)}) * 1000)::float8`;

/** Records a session: without its row it is not valid. Throws `STORE_UNAVAILABLE`. */
export async function saveSession(
  db: Database,
  { id, name, address, createdAtMs, expiresAtMs }: Session,
): Promise<void> {
  await withStoreErrors(() =>
    db.execute(sql`
      insert into relay.sessions (id, name, address, created_at, expires_at)
      values (${id}, ${name}, ${address}, ${instantOf(createdAtMs)}, ${instantOf(expiresAtMs)})`),
  );
}

/** Whether a session has begun and was not ended; its expiry is its seal's. Throws `STORE_UNAVAILABLE`. */
export async function isSessionOpen(db: Database, id: string): Promise<boolean> {
  const { rows } = await withStoreErrors(() =>
    db.execute(sql`select from relay.sessions where id = ${id} and ended_at is null`),
  );
  return rows.length > 0;
}

/** Ends one session. Throws `STORE_UNAVAILABLE`. */
export async function endSession(db: Database, id: string): Promise<void> {
  await withStoreErrors(() =>
    db.execute(sql`update relay.sessions set ended_at = now() where id = ${id} and ended_at is null`),
  );
}

/** Ends every session of a token; resolves with how many there were. Throws `STORE_UNAVAILABLE`. */
export async function endSessionsOf(db: Database, name: string, nowMs: number): Promise<number> {
  const { rowCount } = await withStoreErrors(() =>
    db.execute(sql`
      update relay.sessions set ended_at = now()
      where name = ${name} and ended_at is null and expires_at > ${instantOf(nowMs)}`),
  );
  return rowCount ?? 0;
}

/** The newest sessions that have neither ended nor expired, of the tokens named. Throws `STORE_UNAVAILABLE`. */
export async function readOpenSessions(
  db: Database,
  { names, nowMs, limit }: { names: readonly string[]; nowMs: number; limit: number },
): Promise<Session[]> {
  const { rows } = await withStoreErrors(() =>
    db.execute(sql`
      select id, name, address, ${msOf("created_at")} as "createdAtMs", ${msOf("expires_at")} as "expiresAtMs"
      from relay.sessions
      where name = any(${sql.param(names)}::text[]) and ended_at is null and expires_at > ${instantOf(nowMs)}
      order by created_at desc, id
      limit ${limit}`),
  );
  return rows as unknown as Session[];
}
