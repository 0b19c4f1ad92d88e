import { round, toNumber } from "#platform/natives.ts";

/**
 * A time as Meta writes it, in whole milliseconds since the epoch; null if it is none. Messaging carries milliseconds,
 * `changes` seconds, dashboard tests seconds in a string, old samples ISO 8601 with a `+0000` offset. Microseconds and
 * nanoseconds are read too: a sender has changed its unit before. The result is before the year 5139, which Postgres can
 * hold and `Date` prints with four digits.
 */
export function parseTime(value: unknown): number | null {
  if (typeof value === "string") {
    if (/^\d{4}-\d\d-\d\dT/.test(value)) return instant(Date.parse(value));
    return /^\d{1,20}(\.\d+)?$/.test(value) ? fromNumber(toNumber(value)) : null;
  }
  return typeof value === "number" ? fromNumber(value) : null;
}

/** The unit by magnitude: 1e11 s is the year 5138, 1e11 ms is 1973, and so on in steps of a thousand. */
function fromNumber(value: number): number | null {
  return instant(value < 1e11 ? value * 1e3 : value < 1e14 ? value : value < 1e17 ? value / 1e3 : value / 1e6);
}

function instant(ms: number): number | null {
  const rounded = round(ms);
  return rounded > 0 && rounded < 1e14 ? rounded : null;
}
