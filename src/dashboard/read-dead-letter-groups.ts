import { sql, type SQL } from "drizzle-orm";
import * as v from "valibot";

import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/database.ts";

import { isoText } from "./iso-text.ts";
import { cursorOf, encodeCursor, numberOf, oneOf, pageLimit, parseQuery, plainText } from "./query-parameters.ts";

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
  cursor: v.optional(cursorOf(numberOf)),
});

/** Which groups to read. */
export type DeadLetterGroupFilter = v.InferOutput<typeof groupQuery>;

/** Reads the query of `/api/ops/dead-letters`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseDeadLetterGroupFilter(params: URLSearchParams): DeadLetterGroupFilter {
  return parseQuery(groupQuery, params);
}

/** One page of groups, the group of the newest dead letter first. */
export async function readDeadLetterGroups(db: Database, filter: DeadLetterGroupFilter): Promise<DeadLetterGroupPage> {
  const { state, cause, limit, cursor } = filter;
  const conditions = [
    ...(state === undefined ? [] : [sql`${currentState} = ${state}`]),
    ...(cause === undefined ? [] : [sql`g.cause = ${cause}`]),
    ...(cursor === undefined ? [] : [sql`newest.id < ${cursor}`]),
  ];
  const rows = await selectGroups(db, conditions, limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    groups: page.map(({ newestId: _, ...group }) => group),
    nextCursor: rows.length > page.length && last !== undefined ? encodeCursor(String(last.newestId)) : null,
  };
}

/** One group; throws `NOT_FOUND`. */
export async function readDeadLetterGroup(db: Database, id: number): Promise<DeadLetterGroup> {
  const [row] = await selectGroups(db, [sql`g.id = ${id}`], 1);
  if (row === undefined) throw new RelayError("NOT_FOUND", "No such group of dead letters");
  const { newestId: _, ...group } = row;
  return group;
}

const currentState = sql`case when g.state = 'ignored' and g.ignored_until <= now() then 'open' else g.state end`;

type GroupRow = DeadLetterGroup & { newestId: number } & Record<string, unknown>;

/** The newest dead letter of a group is one look into an index; only the groups of the page are counted. */
async function selectGroups(db: Database, conditions: readonly SQL[], limit: number) {
  const { rows } = await db.execute<GroupRow>(sql`
    select p.id::float8 as id, p.cause, p.error_name as "errorName", p.error_code as "errorCode", p.kind,
      p.current_state as state, totals.count::float8 as count, totals.open::float8 as open,
      ${isoText(sql`p.first_at`)} as "firstAt", ${isoText(sql`p.last_at`)} as "lastAt",
      p.first_deployment as "firstDeployment", p.last_deployment as "lastDeployment",
      ${isoText(sql`totals.expires_at`)} as "expiresAt", ${isoText(sql`p.ignored_until`)} as "ignoredUntil", p.note,
      ${isoText(sql`p.changed_at`)} as "changedAt", p.changed_by as "changedBy",
      ${isoText(sql`p.resolved_at`)} as "resolvedAt", p.resolved_by as "resolvedBy",
      ${isoText(sql`p.regressed_at`)} as "regressedAt", p.newest_id::float8 as "newestId"
    from (
      select g.*, ${currentState} as current_state, newest.id as newest_id, newest.recorded_at as last_at,
        newest.deployment as last_deployment
      from relay.dead_letter_groups g
      cross join lateral (
        select l.id, l.recorded_at, l.deployment
        from relay.dead_letters l
        where l.group_id = g.id
        order by l.id desc
        limit 1
      ) newest
      where ${sql.join([sql`true`, ...conditions], sql` and `)}
      order by newest.id desc
      limit ${limit}
    ) p
    cross join lateral (
      select count(*) as count, count(*) filter (where l.resolved_at is null) as open,
        min(l.expires_at) filter (where l.resolved_at is null) as expires_at
      from relay.dead_letters l
      where l.group_id = p.id
    ) totals
    order by p.newest_id desc
  `);
  return rows;
}
