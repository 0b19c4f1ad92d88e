import { sql } from "drizzle-orm";

import { capCount, countMax } from "#store/connection/capped-count.ts";
import type { Database } from "#store/connection/database.ts";
import { currentGroups } from "#store/dead-letters/current-groups.ts";

import type { Condition, OpenGroup } from "./condition.ts";
import { isoOf, type Millis } from "./times.ts";

export type WorkFacts = Pick<Condition, "open" | "stuck" | "retrying" | "deadLetters">;

interface Row extends Record<string, unknown> {
  open: number;
  oldestMs: Millis;
  stuck: number;
  stuckSinceMs: Millis;
  retrying: number;
  nextMs: Millis;
  letters: number;
  expiring: number;
  withoutCopy: number;
  expiresMs: Millis;
  groups: number;
  newest: (Omit<OpenGroup, "at"> & { atMs: number })[] | null;
}

const groupsMax = 20;
const dayMs = 24 * 60 * 60_000;
/** A lost message is found by maintenance; for shorter, the event may just be on its way. */
const onItsWayMs = 60_000;

/** What is not handled, and the dead letters: at most `countMax` rows of each. Rejects with the driver's error. */
export async function readWorkFacts(db: Database, nowMs: number): Promise<WorkFacts> {
  const at = (ms: number) => sql`${new Date(ms).toISOString()}::timestamptz`;
  const millis = (instant: string) => sql.raw(`(extract(epoch from ${instant}) * 1000)::float8`);
  const isExpiring = sql`expires_at > ${at(nowMs)} and expires_at <= ${at(nowMs + dayMs)} and group_state in ('open', 'acknowledged')`;
  const { rows } = await db.execute<Row>(sql`
    with groups as materialized (select * from ${currentGroups} c)
    select w.*, ${millis("(select ingested_at from relay.events where id = w.oldest_id)")} as "oldestMs", l.*, g.*
    from (
      select count(*)::int as open, min(event_id) as oldest_id,
        count(*) filter (where is_stuck)::int as stuck, ${millis("min(next_attempt_at) filter (where is_stuck)")} as "stuckSinceMs",
        count(*) filter (where is_retrying)::int as retrying, ${millis("min(next_attempt_at) filter (where is_retrying)")} as "nextMs"
      from (
        select event_id, next_attempt_at,
          next_attempt_at <= ${at(nowMs - onItsWayMs)} and (leased_until is null or leased_until <= ${at(nowMs)}) as is_stuck,
          next_attempt_at > ${at(nowMs)} and (first_failed_at is not null or deaths > 0) as is_retrying
        from relay.event_work where state = 'open' order by event_id limit ${countMax + 1}
      ) o
    ) w, (
      select count(*)::int as letters, count(*) filter (where ${isExpiring})::int as expiring,
        count(*) filter (where ${isExpiring} and body_whole is not true)::int as "withoutCopy",
        (extract(epoch from min(expires_at) filter (where ${isExpiring})) * 1000)::float8 as "expiresMs"
      from (
        select d.expires_at, d.body_whole, g.state as group_state from relay.dead_letters d
        left join groups g on g.id = d.group_id
        where d.resolved_at is null order by d.id limit ${countMax + 1}
      ) d
    ) l, (
      select (select count(*)::int from groups where state = 'open') as groups, json_agg(json_build_object(
        'id', id, 'cause', cause, 'errorName', error_name, 'kind', kind, 'atMs', ${millis("since")},
        'isRegression', regressed_at is not null)) as newest
      from (
        select *, coalesce(regressed_at, first_at) as since from groups where state = 'open'
        order by since desc, id desc limit ${groupsMax}
      ) n
    ) g`);
  const [row] = rows;
  if (row === undefined) throw new Error("No row");
  return {
    open: { ...capCount(row.open), oldest: isoOf(row.oldestMs) },
    stuck: { ...capCount(row.stuck), since: isoOf(row.stuckSinceMs) },
    retrying: { ...capCount(row.retrying), nextAt: isoOf(row.nextMs) },
    deadLetters: {
      open: capCount(row.letters),
      openGroups: row.groups,
      newest: (row.newest ?? []).map(({ atMs, ...group }) => ({ ...group, at: new Date(atMs).toISOString() })),
      expiring: { count: row.expiring, withoutCopy: row.withoutCopy, first: isoOf(row.expiresMs) },
    },
  };
}
