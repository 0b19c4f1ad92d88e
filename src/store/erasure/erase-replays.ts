import { eq, sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { replays } from "../schema/operations-schema.ts";

/** Replaces a person's id in the filters and previews of replays, and in what operators wrote. Throws `STORE_UNAVAILABLE`. */
export async function erasePersonInReplays(db: Database, userId: string): Promise<void> {
  const quoted = JSON.stringify(userId).slice(1, -1);
  await withStoreErrors(async () => {
    const holding = await db
      .select({
        id: replays.id,
        filter: sql<string>`${replays.filter}::text`,
        plan: sql<string>`${replays.plan}::text`,
      })
      .from(replays)
      .where(sql`strpos(${replays.filter}::text, ${quoted}) > 0 or strpos(${replays.plan}::text, ${quoted}) > 0`);
    for (const { id, filter, plan } of holding) {
      const erased = { filter: withoutId(filter, userId), plan: withoutId(plan, userId) };
      await db.update(replays).set(erased).where(eq(replays.id, id));
    }
    const word = `\\m${userId.replaceAll(/[^0-9A-Za-z]/g, "\\$&")}\\M`;
    await db.execute(
      sql`update relay.replays set reason = regexp_replace(reason, ${word}, 'erased', 'g') where strpos(reason, ${userId}) > 0`,
    );
    await eraseInAudit(db, userId, { quoted, word });
    await db.execute(
      sql`update relay.dead_letter_groups set note = regexp_replace(note, ${word}, 'erased', 'g') where strpos(note, ${userId}) > 0`,
    );
  });
}

/** What operators asked for and why may name a person; who asked for it stays. */
async function eraseInAudit(
  db: Database,
  userId: string,
  { quoted, word }: { quoted: string; word: string },
): Promise<void> {
  const { rows } = await db.execute<{ id: number; filter: string | null }>(sql`
    select id::float8 as id, filter::text as filter from relay.audit
    where strpos(filter::text, ${quoted}) > 0 or strpos(reason, ${userId}) > 0 or target = ${userId}`);
  for (const { id, filter } of rows) {
    const erased = filter === null ? null : withoutId(filter, userId);
    await db.execute(sql`
      update relay.audit set filter = ${erased}::json, reason = regexp_replace(reason, ${word}, 'erased', 'g'),
        target = case when target = ${userId} then 'erased' else target end
      where id = ${id}`);
  }
}

/** An id stands alone or as a part of a key, between colons. */
function withoutId(json: string, id: string): string {
  return JSON.stringify(JSON.parse(json), (_, value: unknown) =>
    typeof value === "string"
      ? value
          .split(":")
          .map((part) => (part === id ? "erased" : part))
          .join(":")
      : value,
  );
}
