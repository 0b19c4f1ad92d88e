import { customType, timestamp } from "drizzle-orm/pg-core";

/**
 * JSON kept letter for letter. `jsonb` refuses NUL and lone surrogates and drops repeated keys; `json` stores the given
 * text. Written and read as text, so that no driver parses it.
 */
export const jsonText = customType<{ data: string; driverData: string }>({ dataType: () => "json" });

/** A point in time, to the millisecond. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date", precision: 3 });
