import { sql } from "drizzle-orm";

import type { Clock } from "#platform/clock.ts";
import type { Runtime } from "#platform/delivery.ts";
import type { Database } from "#store/connection/database.ts";

import type { Count } from "#store/connection/capped-count.ts";
import { isoText } from "../iso-text.ts";
import { encodeCursor } from "../lists/query-parameters.ts";
import { eventState } from "./event-conditions.ts";
import type { EventFilter, EventState } from "./event-filter.ts";
import { findEvents } from "./find-events.ts";

export interface EventItem {
  id: number;
  key: string;
  kind: string;
  accountId: string;
  senderId: string | null;
  recipientId: string | null;
  occurredAt: string | null;
  sentAt: string | null;
  standby: boolean;
  test: boolean;
  /** Whether `data` differs from our schema of its kind; see /api/ops/drift. */
  drifted: boolean;
  /** The delivery that brought it first, and the runtime that answered that. */
  deliveryId: string;
  runtime: Runtime | null;
  ingestedAt: string;
  state: EventState;
  /** Calls of its handler so far. */
  attempts: number;
  /** When its handler may be called next; null unless it is open or retrying. */
  nextAttemptAt: string | null;
  /** Null too for one that was handled at once while other events of its delivery are not yet. */
  handledAt: string | null;
  /** The name and the code of the error for which it is retried or dead. */
  handlerError: string | null;
  errorCode: string | null;
  /** When its data was erased; `data` is a marker since then. */
  erasedAt: string | null;
  /** Why: `unsent`, `data-deletion` or `retention`. */
  erasedBecause: string | null;
  /** The size of its data as Postgres holds it, which may be compressed. */
  storedBytes: number;
  /** The item as Meta sent it. Null in a page without data. */
  data: unknown;
}

export interface EventPage {
  events: EventItem[];
  /** Set too for a page that is not full, even empty, while there are events that were not looked at. */
  nextCursor: string | null;
  /** When the oldest event was ingested that was looked at, for such a page; else null. */
  scannedTo: string | null;
  /** Of all pages, with `count=true`. */
  total?: Count;
}

/** An event may have megabytes of data, and a platform limits a response: Vercel's has 4.5 MB at most. */
const pageBytesMax = 1_000_000;

/** One page of stored events, newest first; it ends at one megabyte of data, but has one event at least. */
export async function readEvents(
  db: Database,
  filter: EventFilter,
  clock: Pick<Clock, "monotonicMs">,
): Promise<EventPage> {
  const { found: ids, next, hasStopped, total } = await findEvents(db, filter, clock);
  const rows = ids.length === 0 ? [] : await readEventRows(db, ids, filter.data);
  const last = rows.at(-1);
  const isCut = last !== undefined && last.id !== ids.at(-1);
  const position = isCut ? last.id : next;
  return {
    events: rows.map(({ data, ...row }) => ({ ...row, data: JSON.parse(data) as unknown })),
    nextCursor: position === null ? null : encodeCursor(String(position)),
    ...(total === null ? {} : { total }),
    scannedTo: hasStopped && !isCut && next !== null ? await readIngestedAt(db, next) : null,
  };
}

async function readIngestedAt(db: Database, id: number): Promise<string | null> {
  const { rows } = await db.execute<{ at: string | null }>(
    sql`select ${isoText(sql`ingested_at`)} as at from relay.events where id = ${id}`,
  );
  return rows[0]?.at ?? null;
}

/** An event with its data as the text that is stored. */
export type EventRow = Omit<EventItem, "data"> & { data: string } & Record<string, unknown>;

/** The events of these ids, newest first, up to one megabyte of data but one event at least; `null` as data for `none`. */
export async function readEventRows(
  db: Database,
  ids: readonly number[],
  data: EventFilter["data"],
): Promise<EventRow[]> {
  const { rows } = await db.execute<EventRow>(sql`
    select e.id::float8 as id, e.key, e.kind, e.account_id as "accountId", e.sender_id as "senderId",
      e.recipient_id as "recipientId", ${isoText(sql`e.occurred_at`)} as "occurredAt",
      ${isoText(sql`e.sent_at`)} as "sentAt", e.standby, e.test, e.drifted, e.delivery_id as "deliveryId", d.runtime,
      ${isoText(sql`e.ingested_at`)} as "ingestedAt", ${eventState} as state,
      coalesce(w.attempts, a.attempts, (w.event_id is null and e.erased_at is null)::int) as attempts,
      case when w.state = 'open' then ${isoText(sql`w.next_attempt_at`)} end as "nextAttemptAt",
      case when w.event_id is null then ${isoText(sql`coalesce(a.handled_at, d.handled_at)`)} end as "handledAt",
      w.error_name as "handlerError", w.error_code as "errorCode", ${isoText(sql`e.erased_at`)} as "erasedAt",
      e.erased_because as "erasedBecause", e.stored_bytes as "storedBytes", e.data
    from (
      select e.*, sum(octet_length(e.data)) over (order by e.id desc) - octet_length(e.data) as bytes_before
      from (
        -- As text: the driver would parse a json column by itself.
        select e.id, e.ingested_at, e.occurred_at, e.sent_at, e.erased_at, e.delivery_id, e.standby, e.test, e.drifted,
          e.kind, e.account_id, e.sender_id, e.recipient_id, e.key,
          pg_column_size(e.data) as stored_bytes,
          case when e.erased_at is not null then relay.readable(e.data) ->> 'erased' end as erased_because,
          ${data === "whole" ? sql`e.data::text` : sql`'null'`} as data
        from (
          -- As it is stored, compressed: to add up the texts themselves, all of them would have to be read.
          select *, sum(pg_column_size(data)) over (order by id desc) - pg_column_size(data) as stored_before
          from relay.events
          where id = any(${sql.param(ids)}::bigint[])
        ) e
        where ${data === "whole" ? sql`e.stored_before < ${pageBytesMax}` : sql`true`}
      ) e
    ) e
    left join relay.event_work w on w.event_id = e.id
    left join relay.deliveries d on d.id = e.delivery_id
    left join lateral (
      select max(attempt) as attempts, max(at) filter (where error_name is null) as handled_at
      from relay.handler_attempts
      where event_id = e.id
    ) a on true
    where e.bytes_before < ${pageBytesMax}
    order by e.id desc
  `);
  return rows;
}
