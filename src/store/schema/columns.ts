import { customType, pgSchema, timestamp } from "drizzle-orm/pg-core";

/** The schema of Postgres that holds everything of the relay, so that it can share a database with an application. */
export const relay = pgSchema("relay");

/**
 * JSON kept letter for letter. `jsonb` refuses NUL and lone surrogates and drops repeated keys; `json` stores the given
 * text. Written and read as text, so that no driver parses it.
 */
export const jsonText = customType<{ data: string; driverData: string }>({ dataType: () => "json" });

export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });

/** A point in time, to the millisecond unless `precision` says otherwise. */
export const instant = (name: string, precision: 3 | 6 = 3) =>
  timestamp(name, { withTimezone: true, mode: "date", precision });
