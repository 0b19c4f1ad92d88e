import { sql, type SQL } from "drizzle-orm";
import * as v from "valibot";

import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/connection/database.ts";
import { currentGroups } from "#store/dead-letters/current-groups.ts";
import { type GroupState, groupStates } from "#store/dead-letters/dead-letter-groups.ts";

import { isoText } from "../iso-text.ts";
import { cursorOf, encodeCursor, oneOf, pageLimit, parseQuery, plainText } from "../lists/query-parameters.ts";

export type DeadLetterGroupState = GroupState;

export const deadLetterCauses = ["handler", "qstash", "undecodable", "too-large"] as const;

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
  /** All dead letters of the group, and those of them that are not resolved; of the newest 10,000. */
  count: number;
  open: number;
  /** Whether the group has more, which are not looked at. */
  isCapped: boolean;
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

export const groupQuery = v.object({
  state: v.optional(oneOf(groupStates)),
  cause: v.optional(oneOf(deadLetterCauses)),
  /** The error's name or code. */
  error: v.optional(plainText),
  kind: v.optional(plainText),
  /** In which the group was first or last seen. */
  deployment: v.optional(plainText),
  limit: pageLimit,
  cursor: v.optional(cursorOf(positionOf)),
});

/** Which groups to read. */
export type DeadLetterGroupFilter = v.InferOutput<typeof groupQuery>;

/** Reads the query of `/api/ops/dead-letters`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseDeadLetterGroupFilter(params: URLSearchParams): DeadLetterGroupFilter {
  return parseQuery(groupQuery, params);
}

/** One page of groups: what needs a person first, see `rank`, and of these the group that recurred last. */
export async function readDeadLetterGroups(db: Database, filter: DeadLetterGroupFilter): Promise<DeadLetterGroupPage> {
  const { limit, cursor } = filter;
  const conditions = conditionsOf(filter);
  if (cursor !== undefined) {
    const lastAt = new Date(cursor.atMs).toISOString();
    conditions.push(sql`(-${rank}, l.last_at, g.id) < (-(${cursor.rank}::int), ${lastAt}::timestamptz, ${cursor.id})`);
  }
  const rows = await selectGroups(db, conditions, limit + 1);
  const groups = rows.slice(0, limit);
  const last = groups.at(-1);
  const hasMore = rows.length > groups.length && last !== undefined;
  return {
    groups,
    nextCursor: hasMore ? encodeCursor(`${rankOf(last)}:${Date.parse(last.lastAt)}:${last.id}`) : null,
  };
}

function conditionsOf({ state, cause, error, kind, deployment }: DeadLetterGroupFilter): SQL[] {
  return [
    ...(state === undefined ? [] : [sql`g.state = ${state}`]),
    ...(cause === undefined ? [] : [sql`g.cause = ${cause}`]),
    ...(error === undefined ? [] : [sql`(g.error_name = ${error} or g.error_code = ${error})`]),
    ...(kind === undefined ? [] : [sql`g.kind = ${kind}`]),
    ...(deployment === undefined
      ? []
      : [sql`(g.first_deployment = ${deployment} or l.last_deployment = ${deployment})`]),
  ];
}

/** One group; throws `NOT_FOUND`. */
export async function readDeadLetterGroup(db: Database, id: number): Promise<DeadLetterGroup> {
  const [found] = await selectGroups(db, [sql`g.id = ${id}`], 1);
  if (found === undefined) throw new RelayError("NOT_FOUND", "No such group of dead letters");
  return found;
}

function positionOf(position: string): { rank: number; atMs: number; id: number } | undefined {
  const [, place, atMs, id] = /^(\d):(\d{1,15}):([1-9]\d{0,15})$/.exec(position) ?? [];
  if (place === undefined || atMs === undefined || id === undefined) return undefined;
  return { rank: Number(place), atMs: Number(atMs), id: Number(id) };
}

/** Regressions come first, then open groups, then acknowledged ones, then those that ask for no action. */
const rank = sql`(case g.state when 'open' then case when g.regressed_at is null then 1 else 0 end
  when 'acknowledged' then 2 when 'ignored' then 3 else 4 end)`;

function rankOf({ state, regressedAt }: DeadLetterGroup): number {
  if (state === "open") return regressedAt === null ? 1 : 0;
  return { acknowledged: 2, ignored: 3, resolved: 4 }[state];
}

/** There are few groups, but one of them may have millions of members. */
const membersMax = 10_000;

async function selectGroups(db: Database, conditions: readonly SQL[], limit: number): Promise<DeadLetterGroup[]> {
  const { rows } = await db.execute<DeadLetterGroup & Record<string, unknown>>(sql`
    select g.id::float8 as id, g.cause, g.error_name as "errorName", g.error_code as "errorCode", g.kind,
      g.state, least(l.count, ${membersMax})::float8 as count, l.open::float8 as open,
      l.count > ${membersMax} as "isCapped",
      ${isoText(sql`g.first_at`)} as "firstAt", ${isoText(sql`l.last_at`)} as "lastAt",
      g.first_deployment as "firstDeployment", l.last_deployment as "lastDeployment",
      ${isoText(sql`l.expires_at`)} as "expiresAt", ${isoText(sql`g.ignored_until`)} as "ignoredUntil", g.note,
      ${isoText(sql`g.changed_at`)} as "changedAt", g.changed_by as "changedBy",
      ${isoText(sql`g.resolved_at`)} as "resolvedAt", g.resolved_by as "resolvedBy",
      ${isoText(sql`g.regressed_at`)} as "regressedAt"
    from ${currentGroups} g
    cross join lateral (
      select count(*) as count, count(*) filter (where resolved_at is null) as open, max(recorded_at) as last_at,
        min(expires_at) filter (where resolved_at is null) as expires_at,
        (array_agg(deployment order by recorded_at desc, id desc))[1] as last_deployment
      from (
        select id, resolved_at, recorded_at, expires_at, deployment from relay.dead_letters where group_id = g.id
        order by id desc limit ${membersMax + 1}
      ) newest
    ) l
    where ${sql.join([sql`l.count > 0`, ...conditions], sql` and `)}
    order by ${rank}, l.last_at desc, g.id desc
    limit ${limit}
  `);
  return rows;
}
