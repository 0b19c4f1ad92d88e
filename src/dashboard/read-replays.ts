import * as v from "valibot";

import { type DescribedReplay, readDescribedReplays } from "#operations/describe-replay.ts";
import type { Database } from "#store/database.ts";

import { cursorOf, encodeCursor, numberOf, pageLimit, parseQuery } from "./query-parameters.ts";

export interface ReplayPage {
  replays: DescribedReplay[];
  nextCursor: string | null;
}

const replayQuery = v.object({ limit: pageLimit, cursor: v.optional(cursorOf(numberOf)) });

/** Reads the query of `/api/ops/replays`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseReplayPage(params: URLSearchParams): v.InferOutput<typeof replayQuery> {
  return parseQuery(replayQuery, params);
}

/** One page of replays, the newest first. */
export async function readReplayPage(
  db: Database,
  { limit, cursor }: v.InferOutput<typeof replayQuery>,
): Promise<ReplayPage> {
  const rows = await readDescribedReplays(db, { limit: limit + 1, beforeMs: cursor });
  const replays = rows.slice(0, limit);
  const last = replays.at(-1);
  const more = rows.length > replays.length && last !== undefined;
  return { replays, nextCursor: more ? encodeCursor(String(Date.parse(last.createdAt))) : null };
}
