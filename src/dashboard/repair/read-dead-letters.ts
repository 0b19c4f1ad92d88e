import { sql } from "drizzle-orm";
import * as v from "valibot";

import type { Database } from "#store/connection/database.ts";

import { isoText } from "../iso-text.ts";
import { cursorOf, encodeCursor, numberOf, pageLimit, parseQuery } from "../lists/query-parameters.ts";
import { type DeadLetterGroup, readDeadLetterGroup } from "./read-dead-letter-groups.ts";

/** One message or event that was given up. */
export interface DeadLetterItem {
  id: number;
  source: string;
  recordedAt: string;
  eventId: number | null;
  kind: string | null;
  deliveryId: string | null;
  batchIndex: number | null;
  messageId: string | null;
  dlqId: string | null;
  url: string | null;
  status: number | null;
  attempts: number | null;
  errorName: string | null;
  errorCode: string | null;
  /** Only if the error says that it may be shown. */
  errorMessage: string | null;
  frames: string[] | null;
  deployment: string | null;
  /** The size of our copy of what QStash could not deliver; null without one. */
  bodyBytes: number | null;
  bodyWhole: boolean | null;
  /** When QStash deletes its own copy. */
  expiresAt: string | null;
  resolvedAt: string | null;
  resolvedBy: string | null;
}

export interface DeadLetterPage {
  group: DeadLetterGroup;
  deadLetters: DeadLetterItem[];
  nextCursor: string | null;
}

export const memberQuery = v.object({ limit: pageLimit, cursor: v.optional(cursorOf(numberOf)) });

/** Which members of a group to read. */
export type DeadLetterFilter = v.InferOutput<typeof memberQuery>;

/** Reads the query of `/api/ops/dead-letters/{groupId}`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseDeadLetterFilter(params: URLSearchParams): DeadLetterFilter {
  return parseQuery(memberQuery, params);
}

/** A group and one page of its dead letters, newest first. Throws `NOT_FOUND` for an unknown group. */
export async function readDeadLetters(
  db: Database,
  groupId: number,
  { limit, cursor }: DeadLetterFilter,
): Promise<DeadLetterPage> {
  const group = await readDeadLetterGroup(db, groupId);
  const { rows } = await db.execute<DeadLetterItem & Record<string, unknown>>(sql`
    select id::float8 as id, source, ${isoText(sql`recorded_at`)} as "recordedAt", event_id::float8 as "eventId", kind,
      delivery_id as "deliveryId", batch_index as "batchIndex", message_id as "messageId", dlq_id as "dlqId", url, status,
      attempts, error_name as "errorName", error_code as "errorCode", error_message as "errorMessage", frames, deployment,
      octet_length(body) as "bodyBytes", body_whole as "bodyWhole", ${isoText(sql`expires_at`)} as "expiresAt",
      ${isoText(sql`resolved_at`)} as "resolvedAt", resolved_by as "resolvedBy"
    from relay.dead_letters
    where group_id = ${groupId} and ${cursor === undefined ? sql`true` : sql`id < ${cursor}`}
    order by id desc
    limit ${limit + 1}
  `);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    group,
    deadLetters: page,
    nextCursor: rows.length > page.length && last !== undefined ? encodeCursor(String(last.id)) : null,
  };
}
