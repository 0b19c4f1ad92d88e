import type { Database } from "../connection/database.ts";
import { repeatConflicts } from "../connection/repeat-conflicts.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { markHandled } from "../handling/mark-handled.ts";
import { deletedData, hashedKey } from "./erased-data.ts";

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

/**
 * Events without search columns, which Postgres had refused: the id is looked for in their data and their key. A step looks
 * at so many events, because an erased account's have no columns either.
 */
const eraseUnsearchableText = `with found as materialized (
  select id, sender_id is null and recipient_id is null and erased_at is null
    and (strpos(key, $1) > 0 or strpos(data::text, $4) > 0 or strpos(data::text, $5) > 0) as holds
  from (select * from relay.events where account_id = '' and id > $3 order by id limit ${eventsPerStep}) without_account
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
