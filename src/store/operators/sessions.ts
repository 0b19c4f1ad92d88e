import { and, desc, eq, gt, inArray, isNull, sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { sessions } from "../schema/audit-schema.ts";

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

/** Records a session: without its row it is not valid. Throws `STORE_UNAVAILABLE`. */
export async function saveSession(db: Database, { createdAtMs, expiresAtMs, ...session }: Session): Promise<void> {
  const row = { ...session, createdAt: new Date(createdAtMs), expiresAt: new Date(expiresAtMs) };
  await withStoreErrors(() => db.insert(sessions).values(row));
}

/** Whether a session has begun and was not ended; its expiry is its seal's. Throws `STORE_UNAVAILABLE`. */
export async function isSessionOpen(db: Database, id: string): Promise<boolean> {
  const isOpen = and(eq(sessions.id, id), isNull(sessions.endedAt));
  const found = await withStoreErrors(() => db.select({ id: sessions.id }).from(sessions).where(isOpen));
  return found.length > 0;
}

/** Ends one session. Throws `STORE_UNAVAILABLE`. */
export async function endSession(db: Database, id: string): Promise<void> {
  await withStoreErrors(() =>
    db
      .update(sessions)
      .set({ endedAt: sql`now()` })
      .where(eq(sessions.id, id)),
  );
}

const isValidAt = (nowMs: number) => and(isNull(sessions.endedAt), gt(sessions.expiresAt, new Date(nowMs)));

/** Ends every session of a token; resolves with how many there were. Throws `STORE_UNAVAILABLE`. */
export async function endSessionsOf(db: Database, name: string, nowMs: number): Promise<number> {
  const ofToken = and(eq(sessions.name, name), isValidAt(nowMs));
  const { rowCount } = await withStoreErrors(() =>
    db
      .update(sessions)
      .set({ endedAt: sql`now()` })
      .where(ofToken),
  );
  return rowCount ?? 0;
}

/** The newest sessions that have neither ended nor expired, of the tokens named. Throws `STORE_UNAVAILABLE`. */
export async function readOpenSessions(
  db: Database,
  { names, nowMs, limit }: { names: readonly string[]; nowMs: number; limit: number },
): Promise<Session[]> {
  const ofTokens = and(inArray(sessions.name, [...names]), isValidAt(nowMs));
  const rows = await withStoreErrors(() =>
    db.select().from(sessions).where(ofTokens).orderBy(desc(sessions.createdAt), sessions.id).limit(limit),
  );
  return rows.map(({ id, name, address, createdAt, expiresAt }) => ({
    id,
    name,
    address,
    createdAtMs: createdAt.getTime(),
    expiresAtMs: expiresAt.getTime(),
  }));
}
