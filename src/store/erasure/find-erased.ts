import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";

/** What was erased and may still be in bytes that are not stored as events. */
export interface Erased {
  /** Hashes of people, and when the latest request of each came, in ms since the epoch. */
  people: ReadonlyMap<string, number>;
  /** Hashes of messages that were unsent. */
  messages: ReadonlySet<string>;
}

/** Which of these hashes belong to people or messages that were erased. Throws `STORE_UNAVAILABLE`. */
export async function findErased(
  db: Database,
  hashes: { people: readonly string[]; messages: readonly string[] },
): Promise<Erased> {
  const { rows } = await withStoreErrors(() =>
    db.$client.query<{ hash: string; requested_at_ms: number | null }>(
      `select hash, (extract(epoch from requested_at) * 1000)::float8 as requested_at_ms from relay.erased_people where hash = any($1::uuid[])
      union all select hash, null from relay.unsent_messages where hash = any($2::uuid[])`,
      [hashes.people, hashes.messages],
    ),
  );
  const people = rows.flatMap((row) =>
    row.requested_at_ms === null ? [] : [[row.hash, row.requested_at_ms] as const],
  );
  const messages = rows.flatMap((row) => (row.requested_at_ms === null ? [row.hash] : []));
  return { people: new Map(people), messages: new Set(messages) };
}

/** For how long a dead letter, ours or QStash's, may still hold what was erased: QStash keeps its own at most three months. */
const soughtFor = "interval '100 days'";

/** Whether anything was erased so lately that a copy may still hold it. Throws `STORE_UNAVAILABLE`. */
export async function isAnythingErased(db: Database): Promise<boolean> {
  const { rows } = await withStoreErrors(() =>
    db.$client.query<{ any: boolean }>(
      `select exists (select from relay.erased_people where requested_at > now() - ${soughtFor})
        or exists (select from relay.unsent_messages where at > now() - ${soughtFor}) as any`,
    ),
  );
  return rows[0]?.any === true;
}

/** Forgets whose data was erased once no copy can come any more. Throws `STORE_UNAVAILABLE`. */
export async function forgetErasedPeople(db: Database): Promise<void> {
  await withStoreErrors(() =>
    db.$client.query(`delete from relay.erased_people where requested_at < now() - ${soughtFor}`),
  );
}
