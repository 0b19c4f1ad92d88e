import { type SQL, sql } from "drizzle-orm";
import * as v from "valibot";

import type { ErrorCode } from "#platform/errors.ts";
import { instant } from "#platform/instant.ts";
import { requestErrors } from "#platform/request-errors.ts";
import type { Database } from "#store/connection/database.ts";
import { type AuditAction, auditActions, type AuditWay, auditWays } from "#store/operators/audit.ts";

import { type Count, readCappedCount } from "#store/connection/capped-count.ts";
import { isoText } from "../iso-text.ts";
import {
  cursorOf,
  encodeCursor,
  flag,
  numberOf,
  oneOf,
  pageLimit,
  parseQuery,
  plainText,
} from "../lists/query-parameters.ts";

/** How a change ended. `started`: it has not ended yet, or the process died before it could record the end. */
export type AuditResult = "started" | "ok" | ErrorCode;
export const auditResults: readonly AuditResult[] = ["ok", "started", ...(Object.keys(requestErrors) as ErrorCode[])];

export interface AuditItem {
  id: number;
  at: string;
  /** The name of the token. */
  actor: string;
  via: AuditWay;
  /** The network that the request came from. */
  address: string;
  action: AuditAction;
  target: string | null;
  filter: unknown;
  reason: string | null;
  result: AuditResult;
  settledAt: string | null;
}

export interface AuditPage {
  audit: AuditItem[];
  nextCursor: string | null;
  /** Of all pages, with `count=true`. */
  total?: Count;
}

export const auditQuery = v.object({
  actor: v.optional(plainText),
  action: v.optional(oneOf(auditActions)),
  via: v.optional(oneOf(auditWays)),
  result: v.optional(oneOf(auditResults)),
  target: v.optional(plainText),
  from: v.optional(instant),
  to: v.optional(instant),
  /** Whether to count all pages, too. */
  count: v.optional(flag),
  limit: pageLimit,
  cursor: v.optional(cursorOf(numberOf)),
});

/** Which rows to read. */
export type AuditFilter = v.InferOutput<typeof auditQuery>;

/** Reads the query of `/api/ops/audit`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseAuditFilter(params: URLSearchParams): AuditFilter {
  return parseQuery(auditQuery, params);
}

/** The filter as conditions on `relay.audit`. */
function auditConditions({ actor, action, via, result, target, from, to }: AuditFilter): SQL[] {
  const given = { actor, action, via, result, target };
  return [
    ...Object.entries(given).flatMap(([name, value]) =>
      value === undefined ? [] : [sql`${sql.identifier(name)} = ${value}`],
    ),
    ...(from === undefined ? [] : [sql`at >= ${from.toISOString()}::timestamptz`]),
    ...(to === undefined ? [] : [sql`at < ${to.toISOString()}::timestamptz`]),
  ];
}

/** One page of the audit, the newest first. */
export async function readAudit(db: Database, filter: AuditFilter): Promise<AuditPage> {
  const { limit, cursor } = filter;
  const whole = sql.join([sql`true`, ...auditConditions(filter)], sql` and `);
  const { rows } = await db.execute<
    Omit<AuditItem, "filter"> & { filter: string | null } & Record<string, unknown>
  >(sql`
    select id::float8 as id, ${isoText(sql`at`)} as at, actor, via, address, action, target, filter::text as filter, reason,
      result, ${isoText(sql`settled_at`)} as "settledAt"
    from relay.audit
    where ${whole} ${cursor === undefined ? sql`` : sql`and id < ${cursor}`}
    order by id desc
    limit ${limit + 1}`);
  const page = rows.slice(0, limit).map((row) => ({ ...row, filter: JSON.parse(row.filter ?? "null") as unknown }));
  const last = page.at(-1);
  return {
    audit: page,
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(String(last.id)) : null,
    ...(filter.count === true ? { total: await readCappedCount(db, sql`select from relay.audit where ${whole}`) } : {}),
  };
}
