import { asc, desc } from "drizzle-orm";
import * as v from "valibot";

import type { Database } from "#store/database.ts";
import { drift } from "#store/schema.ts";

import { pageLimit, parseQuery } from "./query-parameters.ts";

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

const driftQuery = v.object({ limit: pageLimit });

/** How much drift to read. */
export type DriftFilter = v.InferOutput<typeof driftQuery>;

/** Reads the query of `/api/ops/drift`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseDriftFilter(params: URLSearchParams): DriftFilter {
  return parseQuery(driftQuery, params);
}

/** How Meta's data differs from our schemas, most recent first. */
export async function readDrift(db: Database, { limit }: DriftFilter): Promise<DriftReport> {
  const rows = await db
    .select()
    .from(drift)
    .orderBy(
      desc(drift.lastSeen),
      desc(drift.eventId),
      asc(drift.kind),
      asc(drift.path),
      asc(drift.finding),
      asc(drift.shape),
    )
    .limit(limit);
  return { drift: rows.map(toItem) };
}

function toItem(row: typeof drift.$inferSelect): DriftItem {
  return { ...row, firstSeen: row.firstSeen.toISOString(), lastSeen: row.lastSeen.toISOString() };
}
