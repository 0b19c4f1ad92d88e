import { sql } from "drizzle-orm";

import type { Database } from "#store/connection/database.ts";

import { isoText } from "../iso-text.ts";
import type { EventItem } from "./read-events.ts";

/** What an event has to do with; each leads to a page of its own. */
export interface EventSurroundings {
  /** The person of its conversation: who is not the account. Null for what belongs to none. */
  person: string | null;
  /** The events of the conversation before and after it, in the order of ingestion. */
  previousId: number | null;
  nextId: number | null;
  /** Deliveries that carried it too, at most five. */
  repeatedBy: { id: string; receivedAt: string | null }[];
  deadLetters: { id: number; groupId: number; recordedAt: string; resolvedAt: string | null }[];
  /** Replays that ran its handler, or are about to. */
  replays: string[];
}

const lettersMax = 20;

/** Reads what an event has to do with, each by an index. */
export async function readEventSurroundings(
  db: Database,
  event: Pick<EventItem, "id" | "accountId" | "senderId" | "recipientId">,
): Promise<EventSurroundings> {
  const { id, accountId, senderId, recipientId } = event;
  const person = [senderId, recipientId].find((one) => one !== null && one !== accountId) ?? null;
  const [neighbours, { rows: repeatedBy }, { rows: deadLetters }, { rows: replays }] = await Promise.all([
    person === null ? { previousId: null, nextId: null } : readNeighbours(db, { id, accountId, person }),
    db.execute<EventSurroundings["repeatedBy"][number]>(sql`
      select l.delivery_id as id, ${isoText(sql`d.received_at`)} as "receivedAt"
      from relay.duplicate_events l left join relay.deliveries d on d.id = l.delivery_id
      where l.event_id = ${id} order by l.delivery_id
    `),
    db.execute<EventSurroundings["deadLetters"][number]>(sql`
      select id::float8 as id, group_id::float8 as "groupId", ${isoText(sql`recorded_at`)} as "recordedAt",
        ${isoText(sql`resolved_at`)} as "resolvedAt"
      from relay.dead_letters where event_id = ${id} order by id desc limit ${lettersMax}
    `),
    db.execute<{ id: string }>(sql`
      select replay_id as id from relay.handler_attempts where event_id = ${id} and replay_id is not null
      union
      select replay_id from relay.event_work where event_id = ${id} and replay_id is not null
    `),
  ]);
  return { person, ...neighbours, repeatedBy, deadLetters, replays: replays.map((replay) => replay.id) };
}

/** Of both sides: what the person sent, and what the account sent to the person. */
async function readNeighbours(
  db: Database,
  { id, accountId, person }: { id: number; accountId: string; person: string },
): Promise<Pick<EventSurroundings, "previousId" | "nextId">> {
  const ofPerson = sql`(
    select id from relay.events where sender_id = ${person} and account_id = ${accountId}
    union all
    select id from relay.events
    where recipient_id = ${person} and recipient_id <> account_id and account_id = ${accountId}
  ) c`;
  const { rows } = await db.execute<Pick<EventSurroundings, "previousId" | "nextId">>(sql`
    select max(id) filter (where id < ${id})::float8 as "previousId",
      min(id) filter (where id > ${id})::float8 as "nextId"
    from ${ofPerson}
  `);
  return rows[0] ?? { previousId: null, nextId: null };
}
