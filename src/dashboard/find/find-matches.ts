import { sql, type SQL } from "drizzle-orm";

import type { Database } from "#store/connection/database.ts";
import { unfinishedDelivery } from "#store/deliveries/unfinished-delivery.ts";
import { deliveryUuid, hashUuid } from "#store/ingest/delivery-uuid.ts";

import { eventsOfItem, isHiddenMessage } from "../events/events-of-item.ts";
import { isAnyonesId } from "./is-anyones-id.ts";

/** What an id can be of. */
export type FoundType =
  | "delivery"
  | "event"
  | "person"
  | "account"
  | "qstash-message"
  | "dead-letter"
  | "dead-letter-group"
  | "trace"
  | "replay"
  | "backfill";

/** A row with one of the ids. */
export interface FoundRow {
  /** `gone`: an event was stored under it, and its row has been deleted. */
  type: FoundType | "gone";
  /** The row's own id, or for a person, an account, a queue message or a trace the id that was looked for. */
  id: string;
  /** Of a queue message and a trace: the delivery or event it belongs to. Of a dead letter: its group. */
  deliveryId: string | null;
  eventId: string | null;
  groupId: string | null;
}

/** Rows of one kind with one id; more are in the list that the first one leads to. */
const rowsOfKind = 3;
const rowsMax = 50;
/** Of deliveries that are not ingested the message ids have no index: so many of the newest are looked at. */
const unfinishedMax = 20_000;

/** Every row that has one of the ids, in one statement in which an index answers each part. */
export async function findMatches(db: Database, ids: readonly string[]): Promise<FoundRow[]> {
  if (ids.length === 0) return [];
  const parts = [...ofEvents(ids), ...ofPeople(ids), ...ofDeliveries(ids), ...ofMessages(ids), ...ofOperations(ids)];
  const { rows } = await db.execute<FoundRow & Record<string, unknown>>(sql`
    select distinct type, id, "deliveryId", "eventId", "groupId"
    from (${sql.join(
      parts.map((part) => sql`(${part})`),
      sql` union all `,
    )}) found (type, id, "deliveryId", "eventId", "groupId")
    limit ${rowsMax}
  `);
  return rows;
}

function ofEvents(ids: readonly string[]): SQL[] {
  const numbers = ids.filter(isRowId);
  const byKey = sql`
    select case when e.id is null then 'gone' else 'event' end, k.event_id::text, null, null, null
    from relay.event_keys k left join relay.events e on e.id = k.event_id
    where k.hash = any(${sql.param(ids.map(hashUuid))}::uuid[])`;
  const byItem = sql`
    select case when e.id is null then 'gone' else 'event' end, k.event_id::text, null, null, null
    from ${eventsOfItem(ids)} k left join relay.events e on e.id = k.event_id`;
  const byMessage = sql`
    select 'event', e.id::text, null, null, null
    from unnest(${texts(ids)}) q (id)
    cross join lateral (select e.id from relay.events e where ${isHiddenMessage(sql`q.id`)} limit ${rowsOfKind}) e`;
  const byNumber = sql`
    select 'event', id::text, null, null, null from relay.events where id = any(${sql.param(numbers)}::bigint[])`;
  return [byKey, byItem, byMessage, ...(numbers.length === 0 ? [] : [byNumber])];
}

/** An account is sender and recipient, too, and is no person. */
function ofPeople(ids: readonly string[]): SQL[] {
  return [
    sql`
      select case when of.account then 'account' else 'person' end, q.id, null, null, null
      from unnest(${texts(ids)}) q (id)
      cross join lateral (select ${isAnyonesId("account_id", sql`q.id`)} as account) of
      where of.account or ${isAnyonesId("sender_id", sql`q.id`)} or ${isAnyonesId("recipient_id", sql`q.id`)}`,
  ];
}

/** A trace that began with a delivery has the digits of the delivery's id. */
function ofDeliveries(ids: readonly string[]): SQL[] {
  const uuids = sql.param(ids.map(deliveryUuid));
  const traces = ids.filter((id) => /^[0-9a-f]{32}$/i.test(id));
  const byTrace = sql`
    select 'trace', q.id, d.id::text, null, null
    from unnest(${texts(traces)}) q (id)
    cross join lateral (
      select id from relay.deliveries where id = q.id::uuid
      union all (select id from relay.deliveries where trace_id = q.id::uuid limit ${rowsOfKind})
    ) d`;
  return [
    sql`select 'delivery', id::text, null, null, null from relay.deliveries where id = any(${uuids}::uuid[])`,
    sql`
      select 'delivery', delivery_id::text, null, null, null
      from relay.delivery_attempts where delivery_id = any(${uuids}::uuid[])`,
    sql`
      select 'dead-letter', id::text, null, null, group_id::text
      from relay.dead_letters where delivery_id = any(${uuids}::uuid[])`,
    ...(traces.length === 0 ? [] : [byTrace]),
  ];
}

function ofMessages(ids: readonly string[]): SQL[] {
  const limit = sql`limit ${rowsOfKind}`;
  return [
    sql`
      select 'qstash-message', q.id, m.delivery_id::text, m.event_id::text, null
      from unnest(${texts(ids)}) q (id)
      cross join lateral (
        (select id as delivery_id, null::bigint as event_id from relay.deliveries where message_id = q.id ${limit})
        union all (select delivery_id, null from relay.delivery_batches where message_id = q.id ${limit})
        union all (
          select delivery_id, null from relay.delivery_attempts where message_id = q.id and delivery_id is not null ${limit}
        )
        union all (select null, event_id from relay.handler_attempts where message_id = q.id ${limit})
        union all (
          select id, null
          from (
            select id, message_ids from relay.deliveries where ${unfinishedDelivery} order by received_at desc limit ${unfinishedMax}
          ) d
          where q.id = any(d.message_ids) ${limit}
        )
      ) m`,
    sql`
      select 'dead-letter', l.id::text, null, null, l.group_id::text
      from unnest(${texts(ids)}) q (id)
      cross join lateral (
        (select id, group_id from relay.dead_letters where message_id = q.id ${limit})
        union all (select id, group_id from relay.dead_letters where dlq_id = q.id ${limit})
      ) l`,
  ];
}

function ofOperations(ids: readonly string[]): SQL[] {
  const numbers = ids.filter(isRowId);
  const byNumber = sql.param(numbers);
  return [
    sql`select 'replay', id, null, null, null from relay.replays where id = any(${texts(ids)})`,
    sql`select 'backfill', id, null, null, null from relay.backfills where id = any(${texts(ids)})`,
    ...(numbers.length === 0
      ? []
      : [
          sql`
            select 'dead-letter', id::text, null, null, group_id::text
            from relay.dead_letters where id = any(${byNumber}::bigint[])`,
          sql`
            select 'dead-letter-group', id::text, null, null, id::text
            from relay.dead_letter_groups where id = any(${byNumber}::bigint[])`,
        ]),
  ];
}

function isRowId(id: string): boolean {
  return /^[1-9]\d{0,14}$/.test(id);
}

function texts(ids: readonly string[]): SQL {
  return sql`${sql.param([...ids])}::text[]`;
}
