// How an event is found by the id that Instagram gave the message or comment: the id is a part of the event's key.
import { sql, type SQL } from "drizzle-orm";

/** What stands before and behind the account in the key of an event whose last part is an item's id. */
const keyParts: readonly (readonly [before: string, behind: string])[] = [
  ...["message", "message.echo", "message.deleted", "message.unsupported", "postback", "comment", "live_comment"].map(
    (kind) => [`${kind}:`, ":"] as const,
  ),
  ["mention:", ":comment:"],
  ["mention:", ":media:"],
];

/** A key has its account in it, so the id is looked for under each; a relay serves far fewer accounts. */
const accountsMax = 2_000;

/** As a subquery for `from`: the ids of the events whose item has one of these ids, as `event_id`. */
export function eventsOfItem(ids: readonly string[]): SQL {
  const before = sql.param(keyParts.map(([part]) => part));
  const behind = sql.param(keyParts.map(([, part]) => part));
  return sql`(
    with recursive account (id) as (
      -- Each step goes to the next account in the index.
      (select account_id from relay.events order by account_id limit 1)
      union all
      select (select e.account_id from relay.events e where e.account_id > a.id order by e.account_id limit 1)
      from account a where a.id is not null
    )
    select known.event_id
    from (select id from account limit ${accountsMax}) a
    cross join unnest(${sql.param([...ids])}::text[]) q (id)
    cross join unnest(${before}::text[], ${behind}::text[]) p (before, behind)
    cross join lateral (
      select event_id from relay.event_keys k
      where k.hash = encode(substring(sha256(convert_to(p.before || a.id || p.behind || q.id, 'UTF8')) for 16), 'hex')::uuid
      limit 1
    ) known
  )`;
}

/**
 * The condition under which an event `e` holds a text of the message, though its key does not end with the message's id:
 * edits, which are numbered, and ids that are hashed in the key. The index `events_hidden_message` answers it.
 */
export function isHiddenMessage(id: SQL): SQL {
  return sql`relay.message_id(e.kind, e.key, e.data) = ${id} and (
    e.kind = 'message.edited'
    or e.kind in ('message', 'message.echo', 'message.unsupported', 'postback') and e.key not like '%:%:%'
  )`;
}
