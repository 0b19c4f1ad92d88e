import { parseJson } from "#platform/parse-json.ts";
import type { Database } from "#store/connection/database.ts";
import { readLetterBody } from "#store/dead-letters/dead-letter-groups.ts";
import type { StoredItem } from "#store/ingest/stored-item.ts";

/** What a dead letter is about, as far as it is kept. */
export interface LetterBody {
  /** The batch's events, or the one event whose handler failed; null if the bytes are no batch, or nothing is kept. */
  events: StoredItem[] | null;
  /** The batch's bytes in base64; null without a whole copy. */
  bodyBase64: string | null;
}

/** Throws `NOT_FOUND`. */
export async function describeLetterBody(db: Database, groupId: number, letterId: number): Promise<LetterBody> {
  const { body, event } = await readLetterBody(db, { groupId, letterId });
  if (event !== null) return { events: [event], bodyBase64: null };
  if (body === null) return { events: null, bodyBase64: null };
  const batch = parseJson(new TextDecoder().decode(body)) as { events?: unknown } | undefined;
  const events = Array.isArray(batch?.events) ? (batch.events as StoredItem[]) : null;
  return { events, bodyBase64: Buffer.from(body).toString("base64") };
}
