import { sql } from "drizzle-orm";
import * as v from "valibot";

import type { Database } from "#store/connection/database.ts";
import { allDrift } from "#store/figures/fold-drift.ts";

import { isoText } from "../iso-text.ts";
import { pageLimit, parseQuery, plainText } from "../lists/query-parameters.ts";

export interface DriftItem {
  kind: string;
  /** `message.attachments[].payload.new_field`; `*` for a name that is no field's or beyond the limit, `$` for the item. */
  path: string;
  /** `unknown_field`, `unknown_word`, `unknown_kind`, or `mismatch` if the data is not of its type. */
  finding: string;
  /** The JSON type that was found, or `missing`. */
  shape: string;
  /** How many events had it. */
  count: number;
  firstSeen: string;
  lastSeen: string;
  /** The last event that had it. */
  eventId: number;
}

export interface DriftReport {
  drift: DriftItem[];
}

export const driftQuery = v.object({ kind: v.optional(plainText), limit: pageLimit });

/** How much drift to read. */
export type DriftFilter = v.InferOutput<typeof driftQuery>;

/** Reads the query of `/api/ops/drift`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseDriftFilter(params: URLSearchParams): DriftFilter {
  return parseQuery(driftQuery, params);
}

/** How Meta's data differs from our schemas, most recent first: what maintenance has folded, and what it has not yet. */
export async function readDrift(db: Database, { kind, limit }: DriftFilter): Promise<DriftReport> {
  const { rows } = await db.execute<DriftItem & Record<string, unknown>>(sql`
    select kind, path, finding, shape, count::float8 as count, ${isoText(sql`first_seen`)} as "firstSeen",
      ${isoText(sql`last_seen`)} as "lastSeen", event_id::float8 as "eventId"
    from ${allDrift} d
    ${kind === undefined ? sql`` : sql`where kind = ${kind}`}
    order by last_seen desc, event_id desc, kind, path, finding, shape
    limit ${limit}
  `);
  return { drift: rows };
}
