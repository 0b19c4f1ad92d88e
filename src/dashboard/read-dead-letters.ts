import { desc, sql } from "drizzle-orm";
import * as v from "valibot";

import type { Database } from "#store/database.ts";
import { deadLetters } from "#store/schema.ts";

import { cursorOf, encodeCursor, pageLimit, parseQuery } from "./query-parameters.ts";

export interface DeadLetterItem {
  id: string;
  messageId: string;
  deliveryId: string | null;
  url: string;
  status: number;
  retried: number;
  recordedAt: string;
}

export interface DeadLetterPage {
  deadLetters: DeadLetterItem[];
  nextCursor: string | null;
}

const deadLetterQuery = v.object({
  limit: pageLimit,
  cursor: v.optional(
    cursorOf((position) => {
      const [, atMs, id] = /^(\d{1,14}):([^\0]{1,500})$/.exec(position) ?? [];
      return atMs === undefined || id === undefined ? undefined : { at: new Date(Number(atMs)), id };
    }),
  ),
});

/** Which page of dead letters to read. */
export type DeadLetterFilter = v.InferOutput<typeof deadLetterQuery>;

/** Reads the query of `/api/ops/dead-letters`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseDeadLetterFilter(params: URLSearchParams): DeadLetterFilter {
  return parseQuery(deadLetterQuery, params);
}

/** One page of QStash's dead letters, newest first. */
export async function readDeadLetters(db: Database, { limit, cursor }: DeadLetterFilter): Promise<DeadLetterPage> {
  const before =
    cursor === undefined
      ? undefined
      : sql`(${deadLetters.recordedAt}, ${deadLetters.id}) < (${cursor.at.toISOString()}::timestamptz, ${cursor.id})`;
  const rows = await db
    .select()
    .from(deadLetters)
    .where(before)
    .orderBy(desc(deadLetters.recordedAt), desc(deadLetters.id))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    deadLetters: page.map((row) => ({ ...row, recordedAt: row.recordedAt.toISOString() })),
    nextCursor:
      rows.length > page.length && last !== undefined ? encodeCursor(`${last.recordedAt.getTime()}:${last.id}`) : null,
  };
}
