import { type SQL, sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import {
  lettersWithoutBatch,
  type ReplaySelection,
  selectedEvents,
  selectedLetters,
  stateOfWork,
} from "./replay-filter.ts";

/** What a replay would take. */
export interface ReplayPreview {
  /** Events, and batches that were never ingested. */
  count: number;
  batches: number;
  /** Dead letters that meet the conditions, and whose batch cannot be published again. */
  lettersWithoutBatch: number;
  byKind: Record<string, number>;
  byState: Record<string, number>;
  /** By the time at which it happened on Instagram, else by the time of ingestion. */
  byAge: { lt24h: number; lt7d: number; older: number };
  oldest: string | null;
  newest: string | null;
  /** 0 without events. */
  firstEventId: number;
  /** Some of the events; nothing of their content. */
  sample: { id: number; kind: string; accountId: string; state: string; occurredAt: string | null }[];
}

/** The event that came last, as the upper bound of a selection; 0 without events. Throws `STORE_UNAVAILABLE`. */
export async function readLastEventId(db: Database): Promise<number> {
  const { rows } = await withStoreErrors(() =>
    db.execute<{ last: number }>(sql`select coalesce(max(id), 0)::float8 as last from relay.events`),
  );
  return rows[0]?.last ?? 0;
}

/** How many events and never ingested batches are selected now. Throws `STORE_UNAVAILABLE`. */
export async function countSelection(
  db: Database,
  selection: ReplaySelection,
): Promise<{ events: number; batches: number }> {
  const { rows } = await withStoreErrors(() =>
    db.execute<{ events: number; batches: number }>(sql`
      select (select count(*) ${selectedEvents(selection)})::float8 as events, ${countOf(selectedLetters(selection))} as batches`),
  );
  return rows[0] ?? { events: 0, batches: 0 };
}

function countOf(from: SQL | undefined): SQL {
  return from === undefined ? sql`0::float8` : sql`(select count(*)::float8 ${from})`;
}

const happenedAt = sql`coalesce(e.occurred_at, e.ingested_at)`;

/** Throws `STORE_UNAVAILABLE`. */
export async function readPreview(db: Database, selection: ReplaySelection): Promise<ReplayPreview> {
  const from = selectedEvents(selection);
  return withStoreErrors(async () => {
    const { rows: letters } = await db.execute<{ batches: number; without: number }>(sql`
      select ${countOf(selectedLetters(selection))} as batches, ${countOf(lettersWithoutBatch(selection))} as without`);
    const { rows: parts } = await db.execute<Part>(sql`
      select kind, state, age, count(*)::float8 as count, min(at)::float8 as oldest, max(at)::float8 as newest,
        min(id)::float8 as "firstEventId" from (
        select e.id, e.kind, ${stateOfWork} as state, extract(epoch from ${happenedAt}) * 1000 as at,
          case when ${happenedAt} > now() - interval '24 hours' then 'lt24h'
            when ${happenedAt} > now() - interval '7 days' then 'lt7d' else 'older' end as age ${from}) s
      group by kind, state, age`);
    const { rows: sample } = await db.execute(sql`
      select e.id::float8 as id, e.kind, e.account_id as "accountId", ${stateOfWork} as state,
        to_char(e.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "occurredAt" ${from} order by e.id limit 10`);
    const sum = (by: (part: Part) => string) => {
      const sums: Record<string, number> = {};
      for (const part of parts) sums[by(part)] = (sums[by(part)] ?? 0) + part.count;
      return sums;
    };
    const times = (pick: (part: Part) => number) => parts.map(pick);
    return {
      count: parts.reduce((total, { count }) => total + count, 0),
      batches: letters[0]?.batches ?? 0,
      lettersWithoutBatch: letters[0]?.without ?? 0,
      byKind: sum(({ kind }) => kind),
      byState: sum(({ state }) => state),
      byAge: { lt24h: 0, lt7d: 0, older: 0, ...sum(({ age }) => age) },
      oldest: parts.length === 0 ? null : new Date(Math.min(...times(({ oldest }) => oldest))).toISOString(),
      newest: parts.length === 0 ? null : new Date(Math.max(...times(({ newest }) => newest))).toISOString(),
      firstEventId: parts.length === 0 ? 0 : Math.min(...times(({ firstEventId }) => firstEventId)),
      sample: sample as ReplayPreview["sample"],
    };
  });
}

type Part = {
  kind: string;
  state: string;
  age: string;
  count: number;
  oldest: number;
  newest: number;
  firstEventId: number;
};
