import * as v from "valibot";

import { type DescribedBackfill, readDescribedBackfills } from "#operations/backfill/describe-backfill.ts";
import type { Database } from "#store/connection/database.ts";
import { backfillStates } from "#store/replays/backfill-row.ts";

import { cursorOf, encodeCursor, oneOf, pageLimit, parseQuery } from "../lists/query-parameters.ts";

export interface BackfillPage {
  backfills: DescribedBackfill[];
  nextCursor: string | null;
}

export const backfillQuery = v.object({
  state: v.optional(oneOf(backfillStates)),
  limit: pageLimit,
  cursor: v.optional(cursorOf(positionOf)),
});

/** Which backfills to read. */
type BackfillFilter = v.InferOutput<typeof backfillQuery>;

/** Reads the query of `/api/ops/backfills`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseBackfillPage(params: URLSearchParams): BackfillFilter {
  return parseQuery(backfillQuery, params);
}

/** One page of backfills, the newest first. */
export async function readBackfillPage(db: Database, { state, limit, cursor }: BackfillFilter): Promise<BackfillPage> {
  const rows = await readDescribedBackfills(db, { limit: limit + 1, state, before: cursor });
  const backfills = rows.slice(0, limit);
  const last = backfills.at(-1);
  const more = rows.length > backfills.length && last !== undefined;
  return { backfills, nextCursor: more ? encodeCursor(`${Date.parse(last.createdAt)}:${last.id}`) : null };
}

function positionOf(position: string): { atMs: number; id: string } | undefined {
  const [, atMs, id] = /^(\d{1,15}):([\w-]{1,100})$/.exec(position) ?? [];
  return atMs === undefined || id === undefined ? undefined : { atMs: Number(atMs), id };
}
