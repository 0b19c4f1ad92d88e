import { sql, type SQL } from "drizzle-orm";

/** A `timestamptz` as ISO 8601 with milliseconds in UTC, the form of all times in our JSON; null for null. */
export function isoText(instant: SQL): SQL<string | null> {
  return sql`to_char(${instant} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
