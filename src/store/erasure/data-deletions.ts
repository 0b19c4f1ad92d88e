// Requests of people to have their data erased, and how far each is. What they erase: erase-person.ts.
import { and, eq, getTableColumns, isNull, lt, sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { storableText } from "../connection/storable.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { inTransaction } from "../connection/transaction.ts";
import { hashUuid } from "../ingest/delivery-uuid.ts";
import { dataDeletions, deauthorizations } from "../schema/privacy-schema.ts";

export interface DeletionRequest {
  requestId: string;
  userId: string;
  /** The confirmation code for a new request. */
  code: string;
  requestedAtMs: number;
}

/** The hash under which `erased_people` knows a person: of the id as the search columns of events hold it. */
export function personHash(id: string): string {
  return hashUuid(storableText(id));
}

/**
 * Records a request to erase a person's data, once; returns whether it was new. From now on the consumer erases, on
 * arrival, what it is still to get of deliveries that were received before. Throws `STORE_UNAVAILABLE`.
 */
export async function recordDeletion(db: Database, request: DeletionRequest): Promise<boolean> {
  const { requestId, userId, code, requestedAtMs } = request;
  const { rows } = await withStoreErrors(() =>
    db.$client.query(
      `with recorded as (
        insert into relay.data_deletions (request_id, user_id, code, requested_at) values ($1, $2, $3, $4)
        on conflict (request_id) do nothing returning requested_at
      ), person as (
        insert into relay.erased_people (hash, requested_at) select $5, requested_at from recorded
        on conflict (hash) do update set requested_at = greatest(erased_people.requested_at, excluded.requested_at)
      )
      select from recorded`,
      [requestId, storableText(userId), code, new Date(requestedAtMs), personHash(userId)],
    ),
  );
  return rows.length > 0;
}

/** A request as it stands. */
export interface StoredDeletion {
  requestId: string;
  code: string;
  /** Null once it is complete. */
  userId: string | null;
  requestedAt: Date;
  completedAt: Date | null;
  erased: number;
  /** JSON: where it goes on. */
  progress: string | null;
}

/** A recorded request; undefined if there is none. Throws `STORE_UNAVAILABLE`. */
export async function readDeletion(db: Database, requestId: string): Promise<StoredDeletion | undefined> {
  const [deletion] = await withStoreErrors(() =>
    db
      .select({ ...getTableColumns(dataDeletions), progress: sql<string | null>`${dataDeletions.progress}::text` })
      .from(dataDeletions)
      .where(eq(dataDeletions.requestId, requestId)),
  );
  return deletion;
}

/** Requests that are not complete, the oldest first. Throws `STORE_UNAVAILABLE`. */
export async function readOpenDeletions(db: Database, limit: number): Promise<string[]> {
  const open = await withStoreErrors(() =>
    db
      .select({ requestId: dataDeletions.requestId })
      .from(dataDeletions)
      .where(isNull(dataDeletions.completedAt))
      .orderBy(dataDeletions.requestedAt)
      .limit(limit),
  );
  return open.map(({ requestId }) => requestId);
}

/** Notes where an erasure goes on. Throws `STORE_UNAVAILABLE`. */
export async function saveDeletionProgress(db: Database, requestId: string, progress: unknown): Promise<void> {
  await withStoreErrors(() =>
    db
      .update(dataDeletions)
      .set({ progress: JSON.stringify(progress) })
      .where(and(eq(dataDeletions.requestId, requestId), isNull(dataDeletions.completedAt))),
  );
}

/** Copies that an erasure could not reach, as the status page names them. */
export type UnreachedCopy = "queue-dead-letters";

/**
 * Completes this request and interrupted earlier ones of the same person, because this one has done their work. Their ids
 * of the person go. Throws `STORE_UNAVAILABLE`.
 */
export async function completeDeletion(
  db: Database,
  { requestId, userId }: { requestId: string; userId: string },
  unreached: readonly UnreachedCopy[],
  nowMs: number,
): Promise<void> {
  const done = {
    completedAt: new Date(nowMs),
    userId: null,
    progress: null,
    unreached: unreached.length === 0 ? null : JSON.stringify(unreached),
  };
  await withStoreErrors(() =>
    inTransaction(db, async (tx) => {
      await tx.update(deauthorizations).set({ userId: null }).where(eq(deauthorizations.userId, userId));
      const [own] = await tx
        .update(dataDeletions)
        .set(done)
        .where(and(eq(dataDeletions.requestId, requestId), isNull(dataDeletions.completedAt)))
        .returning({ erased: dataDeletions.erased, requestedAt: dataDeletions.requestedAt });
      // The same request ran at the same time and was first.
      if (own === undefined) return;
      await tx
        .update(dataDeletions)
        .set({ ...done, erased: sql`${dataDeletions.erased} + ${own.erased}` })
        // Only older ones: two that did this to one another would deadlock.
        .where(and(eq(dataDeletions.userId, userId), lt(dataDeletions.requestedAt, own.requestedAt)));
    }),
  );
}
