import type { Database } from "./database.ts";
import { deadLetters } from "./schema.ts";
import { withStoreErrors } from "./store-error.ts";

export interface DeadLetter {
  /** QStash's id of it. */
  id: string;
  messageId: string;
  deliveryId: string | null;
  url: string;
  status: number;
  retried: number;
  recordedAtMs: number;
}

/** Records a dead letter once; returns whether it was new. */
export async function saveDeadLetter(db: Database, { recordedAtMs, ...letter }: DeadLetter): Promise<boolean> {
  const inserted = await withStoreErrors(() =>
    db
      .insert(deadLetters)
      .values({ ...letter, recordedAt: new Date(recordedAtMs) })
      .onConflictDoNothing()
      .returning({ id: deadLetters.id }),
  );
  return inserted.length > 0;
}
