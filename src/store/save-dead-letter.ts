import type { Database } from "./database.ts";
import { deadLetters } from "./operations-schema.ts";
import { storableInteger, storableText } from "./storable.ts";
import { withStoreErrors } from "./store-error.ts";

export interface DeadLetter {
  /** QStash's id of the dead letter. */
  id: string;
  messageId: string;
  deliveryId: string | null;
  url: string;
  status: number;
  retried: number;
  recordedAtMs: number;
}

/** Records a dead letter once; returns whether it was new. Throws `STORE_UNAVAILABLE`. */
export async function saveDeadLetter(db: Database, letter: DeadLetter): Promise<boolean> {
  const inserted = await withStoreErrors(() =>
    db
      .insert(deadLetters)
      .values({
        id: storableText(letter.id),
        messageId: storableText(letter.messageId),
        deliveryId: letter.deliveryId,
        url: storableText(letter.url),
        status: storableInteger(letter.status),
        retried: storableInteger(letter.retried),
        recordedAt: new Date(letter.recordedAtMs),
      })
      .onConflictDoNothing()
      .returning({ id: deadLetters.id }),
  );
  return inserted.length > 0;
}
