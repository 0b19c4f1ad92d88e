import type { Database } from "#store/connection/database.ts";
import { readOpenSessions } from "#store/operators/sessions.ts";

/** A session that is valid now. Times are ISO 8601. */
export interface SessionItem {
  /** Worthless without its signature. */
  id: string;
  name: string;
  /** The network that it began from. */
  address: string;
  createdAt: string;
  expiresAt: string;
  /** Whether the request came with it. */
  current: boolean;
}

const sessionsMax = 200;

export interface ReadSessionsOptions {
  /** The names of all tokens: a session whose token is taken out is not valid. */
  names: readonly string[];
  /** The session of the request; null for one with a token. */
  sessionId: string | null;
  nowMs: number;
}

/** The newest valid sessions, two hundred at most. Throws `STORE_UNAVAILABLE`. */
export async function readSessions(
  db: Database,
  { names, sessionId, nowMs }: ReadSessionsOptions,
): Promise<{ sessions: SessionItem[] }> {
  const sessions = await readOpenSessions(db, { names, nowMs, limit: sessionsMax });
  return {
    sessions: sessions.map(({ id, name, address, createdAtMs, expiresAtMs }) => ({
      id,
      name,
      address,
      createdAt: new Date(createdAtMs).toISOString(),
      expiresAt: new Date(expiresAtMs).toISOString(),
      current: id === sessionId,
    })),
  };
}
