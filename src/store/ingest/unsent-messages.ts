import type { Database } from "../connection/database.ts";
import { repeatConflicts } from "../connection/repeat-conflicts.ts";
import { storableText } from "../connection/storable.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { unsentData } from "../erasure/erased-data.ts";
import { markHandled } from "../handling/mark-handled.ts";
import { hashUuid } from "./delivery-uuid.ts";
import { hashOfMessage, plainKeys, type UnsentMessage } from "./message-hash.ts";

/**
 * Erases the texts of messages that were unsent, before the events that say so are stored: a text that arrives from then on
 * is stored erased, also from the same batch. Repeating it is harmless. Throws `STORE_UNAVAILABLE`; then an error leaves
 * no event stored and no lease taken.
 */
export async function unsend(db: Database, messages: readonly UnsentMessage[]): Promise<number> {
  if (messages.length === 0) return 0;
  await withStoreErrors(() =>
    db.$client.query(
      `insert into relay.unsent_messages (hash, at)
        select hash, now() from unnest($1::uuid[]) as u (hash) order by hash on conflict do nothing`,
      [[...new Set(messages.map(({ hash }) => hash))]],
    ),
  );
  return eraseTexts(db, messages);
}

/**
 * Erases stored texts: the message and its edits, what waits to be handled, and error messages, which may quote them. Keys
 * find a message with a plain id, an index of what keys do not find finds the rest, so it costs the same however many
 * events are stored. A text that another transaction stores at the same moment can be missed; `eraseRecentlyUnsent` finds it.
 */
async function eraseTexts(db: Database, messages: readonly UnsentMessage[]): Promise<number> {
  const { rows } = await withStoreErrors(() =>
    repeatConflicts(() =>
      db.$client.query<{ erased: number; deliveries: string[] }>(eraseText, [
        messages.map(({ accountId }) => storableText(accountId)),
        messages.map(({ messageId }) => messageId),
        messages.flatMap(plainKeys).map(hashUuid),
      ]),
    ),
  );
  await markHandled(db, rows[0]?.deliveries ?? []);
  return rows[0]?.erased ?? 0;
}

/** As in the index `events_hidden_message`, which serves only a query with the same condition. */
const isHidden = `(e.kind = 'message.edited' or (e.kind in ('message', 'message.echo', 'message.unsupported', 'postback')
      and e.key not like '%:%:%'))`;

const eraseText = `with unsent as (
  select * from unnest($1::text[], $2::text[]) as u (account_id, message_id)
), found as (
  select event_id as id from relay.event_keys where hash = any($3::uuid[])
  union
  select e.id from unsent join relay.events e on relay.message_id(e.kind, e.key, e.data) = unsent.message_id
  where e.account_id in (unsent.account_id, '') and not e.test and ${isHidden}
), erased as (
  update relay.events e set data = '${unsentData}', erased_at = now() from found
  where e.id = found.id and e.erased_at is null
  returning e.id
), work as (
  delete from relay.event_work where event_id in (select id from erased) returning delivery_id
), letters as (
  update relay.dead_letters set error_message = null, resolved_at = coalesce(resolved_at, now()),
    resolved_by = coalesce(resolved_by, 'unsent')
  where event_id in (select id from erased)
), attempts as (
  update relay.handler_attempts set error_message = null
  where event_id in (select id from erased) and error_message is not null
)
select (select count(*)::integer from erased) as erased, array(select distinct delivery_id from work) as deliveries`;

/** How far back a transaction can have begun that has not ended yet, with a margin. */
const recent = "interval '15 minutes'";
const messagesPerStep = 200;

const columns = `e.id, e.account_id as "accountId", e.test, relay.message_id(e.kind, e.key, e.data) as "messageId"`;
type Unsending = { id: string; accountId: string; messageId: string | null; test: boolean };

/**
 * Repeats the erasure for what was unsent in the last minutes, for maintenance: a text that was stored at the same moment as
 * its unsending is found now. Returns how many events it erased. Throws `STORE_UNAVAILABLE`.
 */
export async function eraseRecentlyUnsent(db: Database): Promise<number> {
  const { rows } = await withStoreErrors(() =>
    db.$client.query<Unsending>(
      `select * from (
        select ${columns}, e.ingested_at from relay.events e where e.kind = 'message.deleted'
        order by e.id desc limit ${messagesPerStep * 10}
      ) latest where ingested_at > now() - ${recent}`,
    ),
  );
  return unsend(db, messagesOf(rows));
}

/**
 * One step through all stored unsendings, in the order of their ids: those of an earlier release, which erased nothing, and
 * those that came while the setting was `keep`. Resolves with the id up to which it is done; null after the last, when the
 * next round may begin. Throws `STORE_UNAVAILABLE`.
 */
export async function eraseUnsentAfter(
  db: Database,
  afterId: number,
): Promise<{ erased: number; afterId: number | null }> {
  const { rows } = await withStoreErrors(() =>
    db.$client.query<Unsending>(
      `select ${columns} from relay.events e
        where e.kind = 'message.deleted' and e.id > $1 order by e.id limit ${messagesPerStep}`,
      [afterId],
    ),
  );
  const erased = await unsend(db, messagesOf(rows));
  const last = rows.at(-1);
  return { erased, afterId: rows.length < messagesPerStep || last === undefined ? null : Number(last.id) };
}

function messagesOf(rows: readonly Unsending[]): UnsentMessage[] {
  return rows.flatMap(({ accountId, messageId, test }) =>
    messageId === null || test ? [] : [{ hash: hashOfMessage(accountId, messageId), accountId, messageId }],
  );
}
