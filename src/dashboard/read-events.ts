import { and, desc, eq, gte, inArray, lt, or, sql, type SQL } from "drizzle-orm";
import * as v from "valibot";

import type { Database } from "#store/database.ts";
import { deliveryEvents, eventIngestedAt, events } from "#store/schema.ts";

import { cursorOf, encodeCursor, instant, pageLimit, parseQuery, plainText } from "./query-parameters.ts";

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
  /** The delivery that brought it first. */
  deliveryId: string;
  ingestedAt: string;
  handledAt: string | null;
  handlerError: string | null;
  /** When its data was erased at a person's request; `data` is a marker since then. */
  erasedAt: string | null;
  /** The item as Meta sent it. */
  data: unknown;
}

export interface EventPage {
  events: EventItem[];
  nextCursor: string | null;
}

const eventQuery = v.object({
  kind: v.optional(plainText),
  account: v.optional(plainText),
  /** A part of the key, the sender, the recipient or the data. */
  q: v.optional(v.pipe(v.string(), v.maxLength(300, "must have at most 300 characters"))),
  deliveryId: v.optional(plainText),
  /** By `ingestedAt`, from inclusive, to exclusive. Events are ordered by id, which is the order of ingestion. */
  from: v.optional(instant),
  to: v.optional(instant),
  limit: pageLimit,
  cursor: v.optional(cursorOf(eventIdOf)),
});

/** Which events to read, and how many of them at most. */
export type EventFilter = v.InferOutput<typeof eventQuery>;

/** Reads the query of `/api/ops/events`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseEventFilter(params: URLSearchParams): EventFilter {
  return parseQuery(eventQuery, params);
}

const ingestedAt = eventIngestedAt(events);

/** One page of stored events, newest first. With `data: "none"` their data is null: an item may have megabytes of it. */
export async function readEvents(
  db: Database,
  filter: EventFilter,
  { data }: { data: "whole" | "none" } = { data: "whole" },
): Promise<EventPage> {
  const rows = await db
    .select({
      id: events.id,
      key: events.key,
      kind: events.kind,
      accountId: events.accountId,
      senderId: events.senderId,
      recipientId: events.recipientId,
      occurredAt: events.occurredAt,
      sentAt: events.sentAt,
      standby: events.standby,
      test: events.test,
      drifted: events.drifted,
      deliveryId: events.deliveryId,
      ingestedAt: ingestedAt.mapWith(events.ingestedAt),
      handledAt: events.handledAt,
      handlerError: events.handlerError,
      erasedAt: events.erasedAt,
      // As text: the driver would parse a json column by itself.
      data: data === "whole" ? sql<string>`${events.data}::text` : sql<string>`'null'`,
    })
    .from(events)
    .where(and(...conditions(db, filter)))
    .orderBy(desc(events.id))
    .limit(filter.limit + 1);
  const page = rows.slice(0, filter.limit);
  const last = page.at(-1);
  return {
    events: page.map((row) => ({
      ...row,
      occurredAt: row.occurredAt?.toISOString() ?? null,
      sentAt: row.sentAt?.toISOString() ?? null,
      ingestedAt: row.ingestedAt.toISOString(),
      handledAt: row.handledAt?.toISOString() ?? null,
      erasedAt: row.erasedAt?.toISOString() ?? null,
      data: JSON.parse(row.data) as unknown,
    })),
    nextCursor: rows.length > page.length && last !== undefined ? encodeCursor(String(last.id)) : null,
  };
}

/** The events after this position have smaller ids; undefined for a position that `readEvents` never gave out. */
export function eventIdOf(position: string): number | undefined {
  return /^[1-9]\d{0,15}$/.test(position) ? Number(position) : undefined;
}

function conditions(db: Database, filter: EventFilter): (SQL | undefined)[] {
  const { kind, account, q, deliveryId, from, to, cursor } = filter;
  return [
    kind === undefined ? undefined : eq(events.kind, kind),
    account === undefined ? undefined : eq(events.accountId, account),
    q === undefined ? undefined : containsText(q),
    deliveryId === undefined
      ? undefined
      : inArray(
          events.id,
          db
            .select({ id: deliveryEvents.eventId })
            .from(deliveryEvents)
            .where(eq(deliveryEvents.deliveryId, deliveryId)),
        ),
    from === undefined ? undefined : gte(ingestedAt, from),
    to === undefined ? undefined : lt(ingestedAt, to),
    cursor === undefined ? undefined : lt(events.id, cursor),
  ];
}

/** Text in the data is escaped: a quotation mark, a line break or NUL is found by its JSON spelling. */
function containsText(q: string): SQL | undefined {
  const data = sql`${events.data}::text`;
  const escaped = contains(data, JSON.stringify(q).slice(1, -1));
  if (q.includes("\0")) return escaped;
  const columns = [sql`${events.key}`, sql`${events.senderId}`, sql`${events.recipientId}`, data];
  return or(escaped, ...columns.map((column) => contains(column, q)));
}

function contains(column: SQL, part: string): SQL {
  return sql`${column} ilike ${`%${part.replace(/[\\%_]/g, "\\$&")}%`}`;
}
