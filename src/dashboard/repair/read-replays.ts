import * as v from "valibot";

import { type DescribedReplay, readDescribedReplays } from "#operations/describe-replay.ts";
import type { Database } from "#store/connection/database.ts";
import { replayRunStates } from "#store/replays/replays.ts";

import { cursorOf, encodeCursor, oneOf, pageLimit, parseQuery } from "../lists/query-parameters.ts";

export interface ReplayPage {
  replays: DescribedReplay[];
  nextCursor: string | null;
}

export const replayQuery = v.object({
  state: v.optional(oneOf(replayRunStates)),
  limit: pageLimit,
  cursor: v.optional(cursorOf(positionOf)),
});

/** Which replays to read. */
export type ReplayListFilter = v.InferOutput<typeof replayQuery>;

/** Reads the query of `/api/ops/replays`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseReplayPage(params: URLSearchParams): ReplayListFilter {
  return parseQuery(replayQuery, params);
}

/** One page of replays, the newest first. */
export async function readReplayPage(db: Database, { state, limit, cursor }: ReplayListFilter): Promise<ReplayPage> {
  const rows = await readDescribedReplays(db, { limit: limit + 1, state, before: cursor });
  const replays = rows.slice(0, limit);
  const last = replays.at(-1);
  const more = rows.length > replays.length && last !== undefined;
  return { replays, nextCursor: more ? encodeCursor(`${Date.parse(last.createdAt)}:${last.id}`) : null };
}

function positionOf(position: string): { atMs: number; id: string } | undefined {
  const [, atMs, id] = /^(\d{1,15}):([\w-]{1,100})$/.exec(position) ?? [];
  return atMs === undefined || id === undefined ? undefined : { atMs: Number(atMs), id };
}
