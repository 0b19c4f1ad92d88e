import { and, asc, eq, gt, inArray, isNull, lt, lte, or, sql, type SQL } from "drizzle-orm";

import type { Database } from "./database.ts";
import { events } from "./event-schema.ts";
import { dataDeletions, deauthorizations } from "./privacy-schema.ts";
import { storableText } from "./storable.ts";
import { withStoreErrors } from "./store-error.ts";
import { inTransaction } from "./transaction.ts";

export interface DeletionRequest {
  requestId: string;
  userId: string;
  /** The confirmation code for a new request. */
  code: string;
  requestedAtMs: number;
}

export interface Deletion {
  /** The confirmation code that the request got when it was first recorded. */
  code: string;
  /** How many events were erased. */
  erased: number;
}

/** The `data` of an erased event. */
const erasureMarker = JSON.stringify({ erased: "data-deletion" });

/**
 * How many ids one transaction looks at. The sender has no index, because deletions are rare and events are not: a
 * deletion reads the table once, in steps that each end long before a statement's time limit.
 */
const idsPerStep = 10_000;

/** Records a request to erase a person's data, once; returns whether it was new. Throws `STORE_UNAVAILABLE`. */
export async function recordDeletion(db: Database, { requestedAtMs, ...request }: DeletionRequest): Promise<boolean> {
  const inserted = await withStoreErrors(() =>
    db
      .insert(dataDeletions)
      // As the search columns of events hold it, because it is compared with them.
      .values({ ...request, userId: storableText(request.userId), requestedAt: new Date(requestedAtMs) })
      .onConflictDoNothing({ target: dataDeletions.requestId })
      .returning({ id: dataDeletions.requestId }),
  );
  return inserted.length > 0;
}

/**
 * Carries out a recorded request: in every event whose account, sender or recipient is the person, it replaces `data` by a
 * marker and removes the person's id. An event that was stored without its search columns is found by the id in its
 * `data`. The rows and their keys stay, so that Meta's retries add no new ones. A repeated call continues an interrupted
 * erasure and does nothing after a complete one, so a captured request cannot erase later events. Throws
 * `STORE_UNAVAILABLE` if Postgres cannot be used.
 */
export async function eraseRecorded(db: Database, requestId: string, nowMs: () => number): Promise<Deletion> {
  return withStoreErrors(async () => {
    const { userId } = await readDeletion(db, requestId);
    if (userId !== null) {
      const { first, last } = await readIdRange(db);
      for (let after = first - 1; after < last; after += idsPerStep) {
        await eraseStep(db, { requestId, userId, after, atMs: nowMs() });
      }
      await complete(db, requestId, userId, nowMs());
    }
    const { code, erased } = await readDeletion(db, requestId);
    return { code, erased };
  });
}

async function readDeletion(db: Database, requestId: string) {
  const [deletion] = await db.select().from(dataDeletions).where(eq(dataDeletions.requestId, requestId));
  if (deletion === undefined) throw new Error("The request is not recorded");
  return deletion;
}

async function readIdRange(db: Database): Promise<{ first: number; last: number }> {
  const [range] = await db
    .select({
      first: sql<number>`coalesce(min(${events.id}), 1)::float8`,
      last: sql<number>`coalesce(max(${events.id}), 0)::float8`,
    })
    .from(events);
  return range ?? { first: 1, last: 0 };
}

interface Step {
  requestId: string;
  userId: string;
  /** The step begins after this id. */
  after: number;
  atMs: number;
}

function eraseStep(db: Database, { requestId, userId, after, atMs }: Step): Promise<void> {
  return inTransaction(db, async (tx) => {
    // In the order of their ids, as every transaction that locks several events, against deadlocks.
    const found = await tx
      .select({ id: events.id })
      .from(events)
      .where(
        and(
          gt(events.id, after),
          lte(events.id, after + idsPerStep),
          or(
            eq(events.accountId, userId),
            eq(events.senderId, userId),
            eq(events.recipientId, userId),
            holdsUnsearchable(userId),
          ),
        ),
      )
      .orderBy(asc(events.id))
      .for("no key update");
    if (found.length === 0) return;
    const ids = found.map(({ id }) => id);
    await tx
      .update(events)
      .set({
        data: erasureMarker,
        // An account that is not known is an empty text, here as in the parser.
        accountId: sql`coalesce(nullif(${events.accountId}, ${userId}), '')`,
        senderId: sql`nullif(${events.senderId}, ${userId})`,
        recipientId: sql`nullif(${events.recipientId}, ${userId})`,
        erasedAt: sql`coalesce(${events.erasedAt}, ${new Date(atMs)})`,
      })
      .where(inArray(events.id, ids));
    await tx
      .update(dataDeletions)
      .set({ erased: sql`${dataDeletions.erased} + ${ids.length}` })
      .where(eq(dataDeletions.requestId, requestId));
  });
}

/**
 * Whether an event without search columns has this id in its data: as a JSON string, or as one inside a string where
 * Postgres refused the JSON itself.
 */
function holdsUnsearchable(userId: string): SQL | undefined {
  const data = sql`${events.data}::text`;
  const quoted = JSON.stringify(userId);
  const asString = sql`strpos(${data}, ${quoted}) > 0`;
  const asText = sql`strpos(${data}, ${JSON.stringify(quoted).slice(1, -1)}) > 0`;
  const hasNoColumns = [eq(events.accountId, ""), isNull(events.senderId), isNull(events.recipientId)];
  return and(...hasNoColumns, isNull(events.erasedAt), or(asString, asText));
}

/** Completes this request and interrupted earlier ones of the same person, because this one has done their work. */
async function complete(db: Database, requestId: string, userId: string, nowMs: number): Promise<void> {
  const done = { completedAt: new Date(nowMs), userId: null };
  await inTransaction(db, async (tx) => {
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
  });
}
