import { eq, sql } from "drizzle-orm";

import type { Database } from "./database.ts";
import { replays } from "./operations-schema.ts";
import { withStoreErrors } from "./store-error.ts";

/** Replaces a person's id in the filters and previews of replays. Throws `STORE_UNAVAILABLE`. */
export async function erasePersonInReplays(db: Database, userId: string): Promise<void> {
  const quoted = JSON.stringify(userId).slice(1, -1);
  await withStoreErrors(async () => {
    const holding = await db
      .select({ id: replays.id, filter: replays.filter, plan: replays.plan })
      .from(replays)
      .where(sql`strpos(${replays.filter}::text, ${quoted}) > 0 or strpos(${replays.plan}::text, ${quoted}) > 0`);
    for (const { id, filter, plan } of holding) {
      const erased = { filter: withoutId(filter, userId), plan: withoutId(plan, userId) };
      await db.update(replays).set(erased).where(eq(replays.id, id));
    }
  });
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
