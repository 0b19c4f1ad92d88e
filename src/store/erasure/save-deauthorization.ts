import type { Database } from "../connection/database.ts";
import { storableInstant, storableText } from "../connection/storable.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { deauthorizations } from "../schema/privacy-schema.ts";

export interface Deauthorization {
  requestId: string;
  userId: string;
  issuedAtMs: number | null;
  recordedAtMs: number;
}

/** Records once that a person revoked our permissions; returns whether the record is new. Throws `STORE_UNAVAILABLE`. */
export async function saveDeauthorization(
  db: Database,
  { requestId, userId, issuedAtMs, recordedAtMs }: Deauthorization,
): Promise<boolean> {
  const issuedAt = storableInstant(issuedAtMs);
  const inserted = await withStoreErrors(() =>
    db
      .insert(deauthorizations)
      .values({ requestId, userId: storableText(userId), issuedAt, recordedAt: new Date(recordedAtMs) })
      .onConflictDoNothing()
      .returning({ id: deauthorizations.requestId }),
  );
  return inserted.length > 0;
}
