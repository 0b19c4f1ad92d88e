import { and, eq, isNull, lt, sql } from "drizzle-orm";

import type { Database } from "./database.ts";
import { hashUuid } from "./delivery-uuid.ts";
import { deletedData, hashedKey } from "./erased-data.ts";
import { markHandled } from "./mark-handled.ts";
import { dataDeletions, deauthorizations } from "./privacy-schema.ts";
import { repeatConflicts } from "./repeat-conflicts.ts";
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

/** The most events that one statement erases: it ends long before its time limit. */
export const eventsPerStep = 1_000;

/** What is erased with an event: what waits for its handler, and error messages, which may quote it. */
const traces = `work as (
  delete from relay.event_work where event_id in (select id from erased) returning delivery_id
), letters as (
  update relay.dead_letters set error_message = null, resolved_at = coalesce(resolved_at, now()),
    resolved_by = coalesce(resolved_by, 'data-deletion')
  where event_id in (select id from erased)
), attempts as (
  update relay.handler_attempts set error_message = null
  where event_id in (select id from erased) and error_message is not null
), counted as (
  update relay.data_deletions set erased = erased + (select count(*) from erased)
  where request_id = $2 and exists (select from erased)
)
select (select max(id) from found) as last, (select count(*)::integer from found) as found,
  (select count(*)::integer from erased) as erased, array(select distinct delivery_id from work) as deliveries`;

/** A key may hold the person's id, so a hash of it takes its place. An account that is not known is an empty text. */
const erasure = `set data = '${deletedData}', key = case when e.key like '%:%:%' then ${hashedKey} else e.key end,
    account_id = coalesce(nullif(e.account_id, $1), ''), sender_id = nullif(e.sender_id, $1),
    recipient_id = nullif(e.recipient_id, $1), erased_at = coalesce(e.erased_at, now())`;

/**
 * Each arm is answered by an index, `recipient_id <> account_id` being that index's own condition: a recipient that is the
 * account is found by the account. The last condition is repeated for a row that another transaction has just erased.
 */
const eraseFoundText = `with found as materialized (
  select id from (
    (select id from relay.events where sender_id = $1 and id > $3 order by id limit ${eventsPerStep})
    union (select id from relay.events where recipient_id = $1 and recipient_id <> account_id and id > $3 order by id limit ${eventsPerStep})
    union (select id from relay.events where account_id = $1 and id > $3 order by id limit ${eventsPerStep})
  ) of_person order by id limit ${eventsPerStep}
), erased as (
  update relay.events e ${erasure} from found
  where e.id = found.id and (e.sender_id = $1 or e.recipient_id = $1 or e.account_id = $1)
  returning e.id
), ${traces}`;

/** Events without search columns, which Postgres had refused: the id is looked for in their data and their key. */
const eraseUnsearchableText = `with found as materialized (
  select id, strpos(key, $1) > 0 or strpos(data::text, $4) > 0 or strpos(data::text, $5) > 0 as holds from relay.events
  where account_id = '' and sender_id is null and recipient_id is null and erased_at is null and id > $3
  order by id limit ${eventsPerStep}
), erased as (
  update relay.events e ${erasure} from found where e.id = found.id and found.holds and e.erased_at is null
  returning e.id
), ${traces}`;

export interface EraseStep {
  requestId: string;
  userId: string;
  /** Events up to this id are done. */
  afterId: number;
}

/**
 * Erases the next events whose account, sender or recipient is the person: their data, the person's id, keys that may hold
 * it, what waits for their handlers. Resolves with the id up to which it is done; null after the last. Throws
 * `STORE_UNAVAILABLE`.
 */
export function eraseFoundEvents(db: Database, { requestId, userId, afterId }: EraseStep): Promise<number | null> {
  return eraseStep(db, eraseFoundText, [userId, requestId, afterId]);
}

/** The same for events without search columns. */
export function eraseUnsearchableEvents(
  db: Database,
  { requestId, userId, afterId }: EraseStep,
): Promise<number | null> {
  const quoted = JSON.stringify(userId);
  // As a JSON string, and as one inside a string, where Postgres refused the JSON itself.
  return eraseStep(db, eraseUnsearchableText, [
    userId,
    requestId,
    afterId,
    quoted,
    JSON.stringify(quoted).slice(1, -1),
  ]);
}

async function eraseStep(db: Database, text: string, values: unknown[]): Promise<number | null> {
  const { rows } = await withStoreErrors(() =>
    repeatConflicts(() => db.$client.query<{ last: string | null; found: number; deliveries: string[] }>(text, values)),
  );
  const [step] = rows;
  if (step === undefined) return null;
  await markHandled(db, step.deliveries);
  return step.found < eventsPerStep || step.last === null ? null : Number(step.last);
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
    db.select().from(dataDeletions).where(eq(dataDeletions.requestId, requestId)),
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
export const unreachedCopies = ["queue-dead-letters"] as const;
export type UnreachedCopy = (typeof unreachedCopies)[number];

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
