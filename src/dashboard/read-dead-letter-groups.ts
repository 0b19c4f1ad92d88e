import { sql, type SQL } from "drizzle-orm";
import * as v from "valibot";

import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/database.ts";

import { isoText } from "./iso-text.ts";
import { cursorOf, encodeCursor, oneOf, pageLimit, parseQuery, plainText } from "./query-parameters.ts";

const groupStates = ["open", "acknowledged", "resolved", "ignored"] as const;
export type DeadLetterGroupState = (typeof groupStates)[number];

/** Dead letters of one cause, error and kind. */
export interface DeadLetterGroup {
  id: number;
  /** `qstash` (its retries were used up), `undecodable`, `handler` or `too-large`. */
  cause: string;
  errorName: string | null;
  errorCode: string | null;
  kind: string | null;
  /** A group that is ignored until a time is open again after it. */
  state: DeadLetterGroupState;
  /** All dead letters of the group, and those of them that are not resolved. */
  count: number;
  open: number;
  firstAt: string;
  lastAt: string;
  firstDeployment: string | null;
  lastDeployment: string | null;
  /** When QStash deletes the first of its own copies of unresolved ones; null if it has none. */
  expiresAt: string | null;
  ignoredUntil: string | null;
  note: string | null;
  changedAt: string | null;
  changedBy: string | null;
  resolvedAt: string | null;
  resolvedBy: string | null;
  /** When it recurred after it was resolved. */
  regressedAt: string | null;
}

export interface DeadLetterGroupPage {
  groups: DeadLetterGroup[];
  nextCursor: string | null;
}

const groupQuery = v.object({
  state: v.optional(oneOf(groupStates)),
  cause: v.optional(plainText),
  limit: pageLimit,
  cursor: v.optional(cursorOf(positionOf)),
});

/** Which groups to read. */
export type DeadLetterGroupFilter = v.InferOutput<typeof groupQuery>;

/** Reads the query of `/api/ops/dead-letters`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseDeadLetterGroupFilter(params: URLSearchParams): DeadLetterGroupFilter {
  return parseQuery(groupQuery, params);
}

/** One page of groups, the group that recurred last first. */
export async function readDeadLetterGroups(db: Database, filter: DeadLetterGroupFilter): Promise<DeadLetterGroupPage> {
  const { state, cause, limit, cursor } = filter;
  const conditions = [
    ...(state === undefined ? [] : [sql`${currentState} = ${state}`]),
    ...(cause === undefined ? [] : [sql`g.cause = ${cause}`]),
    ...(cursor === undefined
      ? []
      : [sql`(l.last_at, g.id) < (${new Date(cursor.atMs).toISOString()}::timestamptz, ${cursor.id})`]),
  ];
  const rows = await selectGroups(db, conditions, limit + 1);
  const groups = rows.slice(0, limit);
  const last = groups.at(-1);
  const hasMore = rows.length > groups.length && last !== undefined;
  return { groups, nextCursor: hasMore ? encodeCursor(`${Date.parse(last.lastAt)}:${last.id}`) : null };
}

/** One group; throws `NOT_FOUND`. */
export async function readDeadLetterGroup(db: Database, id: number): Promise<DeadLetterGroup> {
  const [group] = await selectGroups(db, [sql`g.id = ${id}`], 1);
  if (group === undefined) throw new RelayError("NOT_FOUND", "No such group of dead letters");
  return group;
}

function positionOf(position: string): { atMs: number; id: number } | undefined {
  const [, atMs, id] = /^(\d{1,15}):([1-9]\d{0,15})$/.exec(position) ?? [];
  return atMs === undefined || id === undefined ? undefined : { atMs: Number(atMs), id: Number(id) };
}

const currentState = sql`case when g.state = 'ignored' and g.ignored_until <= now() then 'open' else g.state end`;

async function selectGroups(db: Database, conditions: readonly SQL[], limit: number): Promise<DeadLetterGroup[]> {
  const { rows } = await db.execute<DeadLetterGroup & Record<string, unknown>>(sql`
    select g.id::float8 as id, g.cause, g.error_name as "errorName", g.error_code as "errorCode", g.kind,
      ${currentState} as state, l.count::float8 as count, l.open::float8 as open,
      ${isoText(sql`g.first_at`)} as "firstAt", ${isoText(sql`l.last_at`)} as "lastAt",
      g.first_deployment as "firstDeployment", (
        select deployment from relay.dead_letters where group_id = g.id and recorded_at = l.last_at limit 1
      ) as "lastDeployment",
      ${isoText(sql`l.expires_at`)} as "expiresAt", ${isoText(sql`g.ignored_until`)} as "ignoredUntil", g.note,
      ${isoText(sql`g.changed_at`)} as "changedAt", g.changed_by as "changedBy",
      ${isoText(sql`g.resolved_at`)} as "resolvedAt", g.resolved_by as "resolvedBy",
      ${isoText(sql`g.regressed_at`)} as "regressedAt"
    from (
      select group_id, count(*) as count, count(*) filter (where resolved_at is null) as open,
        max(recorded_at) as last_at, min(expires_at) filter (where resolved_at is null) as expires_at
      from relay.dead_letters
      group by group_id
    ) l
    join relay.dead_letter_groups g on g.id = l.group_id
    where ${sql.join([sql`true`, ...conditions], sql` and `)}
    order by l.last_at desc, g.id desc
    limit ${limit}
  `);
  return rows;
}
