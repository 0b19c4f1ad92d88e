import { sql } from "drizzle-orm";

import { amount } from "#operations/condition/amount.ts";
import { countMax } from "#store/connection/capped-count.ts";
import type { Database } from "#store/connection/database.ts";
import { hashUuid } from "#store/ingest/delivery-uuid.ts";

import { isoText } from "../iso-text.ts";
import { readLostInMonth } from "../status/read-lost-in-month.ts";

/** After how many days what is deleted; 0 for never. */
export interface Retention {
  eventDays: number;
  deliveryDays: number;
}

export interface AbsentIds {
  ids: readonly string[];
  /** Ids of events that were stored under one of them, and whose rows are deleted. */
  gone: readonly string[];
}

interface AbsenceFacts {
  /** When the erasure of a person with this id was requested. */
  erasedAt: string | null;
  /** Deliveries that were refused in the last day, by reason. */
  refusals: Record<string, number> | null;
}

const dayMs = 24 * 60 * 60_000;

/** Sentences that say why nothing has these ids, as far as it can be known. */
export async function explainAbsence(
  db: Database,
  { ids, gone }: AbsentIds,
  { retention, nowMs }: { retention: Retention; nowMs: number },
): Promise<string> {
  if (ids.length === 0) {
    return "Nothing in it has the form of an id. The list of events searches their texts for words.";
  }
  const [{ erasedAt, refusals }, lost] = await Promise.all([readFacts(db, ids), readLostInMonth(db, nowMs)]);
  return [
    ...explainEvent(gone, erasedAt, retention),
    ...ids.flatMap((id) => explainForm(id, retention, nowMs)),
    ...(erasedAt === null && gone.length === 0 ? explainLost(lost) : []),
    ...explainRefusals(refusals),
  ].join(" ");
}

function explainEvent(gone: readonly string[], erasedAt: string | null, { eventDays }: Retention): string[] {
  if (erasedAt !== null) return [`The data of the person with this id was erased on a request of ${erasedAt}.`];
  if (gone.length === 0)
    return ["Nothing that is stored has this id: it never arrived here, was refused or lost, or its row was deleted."];
  const limit = eventDays === 0 ? "" : ` after ${eventDays} days (PAYLOAD_RETENTION_DAYS)`;
  return [`Event ${gone.join(", ")} had this id and was handled; its row was deleted${limit}.`];
}

/** What the form of an id tells of it. */
function explainForm(id: string, retention: Retention, nowMs: number): string[] {
  if (id.startsWith("msg_")) {
    return [
      "It is a QStash message: not every publish is reported, so one that has not been delivered yet may be known to QStash alone, which keeps its log for some days.",
    ];
  }
  if (id.startsWith("bf_")) return ["It has the form of a backfill's id, and there is no such backfill."];
  if (id.startsWith("rp_")) return ["It has the form of a replay's id, and there is no such replay."];
  const atMs = timeOfUuid(id);
  if (atMs === null) return [];
  const at = new Date(atMs).toISOString();
  if (atMs > nowMs + dayMs)
    return [`As the id of a delivery it is of ${at}, which is in the future: no relay has made it.`];
  const { deliveryDays } = retention;
  if (deliveryDays > 0 && atMs < nowMs - deliveryDays * dayMs) {
    return [
      `As the id of a delivery it is of ${at}; deliveries are kept for ${deliveryDays} days (DELIVERY_RETENTION_DAYS).`,
    ];
  }
  return [
    `As the id of a delivery it is of ${at}: it may still wait at the queue, or its acknowledgement was refused and Meta sends it again under another id.`,
  ];
}

/** Our ids of deliveries are UUIDs of version 7, which begin with their time; a trace may have the same digits. */
function timeOfUuid(id: string): number | null {
  const digits = id.replaceAll("-", "");
  return /^[0-9a-f]{12}7[0-9a-f]{19}$/i.test(digits) ? Number.parseInt(digits.slice(0, 12), 16) : null;
}

/** The store has a lost delivery's row, and not the ids of its events. */
function explainLost(count: number): string[] {
  if (count === 0) return [];
  const deliveries = amount(Math.min(count, countMax), "delivery", count > countMax);
  return [
    `Of the events of ${deliveries} lost in the last 30 days only the log has the keys, in its lines forward.lost.`,
  ];
}

function explainRefusals(refusals: AbsenceFacts["refusals"]): string[] {
  const counts = Object.entries(refusals ?? {}).map(([reason, count]) => `${count} for ${reason}`);
  if (counts.length === 0) return ["No delivery was refused in the last 24 hours."];
  return [`Deliveries that are refused are not stored; in the last 24 hours: ${counts.join(", ")}.`];
}

async function readFacts(db: Database, ids: readonly string[]): Promise<AbsenceFacts> {
  const { rows } = await db.execute<AbsenceFacts & Record<string, unknown>>(sql`
    select (
      select ${isoText(sql`max(requested_at)`)} from relay.erased_people
      where hash = any(${sql.param(ids.map(hashUuid))}::uuid[])
    ) as "erasedAt", (
      select json_object_agg(reason, count order by count desc)
      from (
        select reason, sum(count) as count from relay.refusals where at > now() - interval '1 day' group by reason
      ) r
    ) as refusals
  `);
  return rows[0] ?? { erasedAt: null, refusals: null };
}
