import type { Database } from "./database.ts";
import { hashUuid } from "./delivery-uuid.ts";
import { unsentData } from "./erased-data.ts";
import { plainKeys, type UnsentMessage } from "./message-hash.ts";
import { withStoreErrors } from "./store-error.ts";

/**
 * Notes that messages were unsent, before the events that say so are stored: from then on a text of theirs that arrives is
 * stored erased, also from the same batch. Throws `STORE_UNAVAILABLE`.
 */
export async function noteUnsent(db: Database, messages: readonly UnsentMessage[]): Promise<void> {
  if (messages.length === 0) return;
  await withStoreErrors(() =>
    db.$client.query(
      `insert into relay.unsent_messages (hash, event_id, at)
        select hash, 0, now() from unnest($1::uuid[]) as u (hash) order by hash on conflict do nothing`,
      [[...new Set(messages.map(({ hash }) => hash))]],
    ),
  );
}

/** What `eraseUnsent` did. */
export interface ErasedMessages {
  /** Events whose text is gone. */
  eventIds: number[];
  /** Deliveries of which an event need no longer be handled. */
  deliveryIds: string[];
}

/**
 * Erases the stored texts of messages that were unsent: the message and its edits, what waits to be handled, and error
 * messages, which may quote them. Repeating it is harmless. Keys find a message with a plain id, an index of what keys do
 * not find finds the rest, so it costs the same however many events are stored. A text that another transaction stores at
 * the same moment can be missed; `eraseRecentlyUnsent` finds it. Throws `STORE_UNAVAILABLE`.
 */
export async function eraseUnsent(db: Database, messages: readonly UnsentMessage[]): Promise<ErasedMessages> {
  if (messages.length === 0) return { eventIds: [], deliveryIds: [] };
  const { rows } = await withStoreErrors(() =>
    db.$client.query<{ id: string | null; delivery_id: string | null }>(eraseText, [
      messages.map(({ hash }) => hash),
      messages.map(({ accountId }) => accountId),
      messages.map(({ messageId }) => messageId),
      messages.map(({ key }) => hashUuid(key)),
      messages.flatMap(plainKeys).map(hashUuid),
    ]),
  );
  return {
    eventIds: rows.flatMap(({ id }) => (id === null ? [] : [Number(id)])),
    deliveryIds: [...new Set(rows.flatMap((row) => row.delivery_id ?? []))],
  };
}

/** As in the index `events_hidden_message`, which serves only a query with the same condition. */
const isHidden = `(e.kind = 'message.edited' or (e.kind in ('message', 'message.echo', 'message.unsupported', 'postback')
      and e.key not like '%:%:%'))`;

const eraseText = `with unsent as (
  select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) as u (hash, account_id, message_id, key_hash)
), noted as (
  update relay.unsent_messages m set event_id = k.event_id
  from unsent join relay.event_keys k on k.hash = unsent.key_hash
  where m.hash = unsent.hash and m.event_id = 0
), found as (
  select event_id as id from relay.event_keys where hash = any($5::uuid[])
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
select id, null as delivery_id from erased union all select null, delivery_id from work`;

/** How far back a transaction can have begun that has not ended yet, with a margin. */
const recentMs = 15 * 60_000;

/**
 * Repeats the erasure for what was unsent in the last minutes, for maintenance: a text that was stored at the same moment as
 * its unsending is found now. Returns how many events it erased. Throws `STORE_UNAVAILABLE`.
 */
export async function eraseRecentlyUnsent(db: Database, nowMs: number, messagesMax = 1_000): Promise<number> {
  const { rows } = await withStoreErrors(() =>
    db.$client.query<UnsentMessage>(
      `select m.hash, e.account_id as "accountId", e.key,
          relay.message_id(e.kind, e.key, e.data) as "messageId"
        from relay.unsent_messages m join relay.events e on e.id = m.event_id
        where m.at > $1 and relay.message_id(e.kind, e.key, e.data) is not null
        order by m.at desc limit $2`,
      [new Date(nowMs - recentMs), messagesMax],
    ),
  );
  return (await eraseUnsent(db, rows)).eventIds.length;
}
