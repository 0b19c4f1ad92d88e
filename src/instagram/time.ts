import { round, toNumber } from "#platform/natives.ts";

/** Below it a number of Meta's is seconds, from it on milliseconds: 1e11 s is the year 5138, 1e11 ms is 1973. */
const millisecondsFrom = 1e11;
/** The largest instant a `Date` can hold. */
const instantMax = 8.64e15;

/**
 * A time as Meta writes it, in milliseconds since the epoch; null if it is none. Messaging carries milliseconds,
 * `changes` seconds, dashboard tests seconds in a string, old samples ISO 8601 with a `+0000` offset.
 */
export function parseTime(value: unknown): number | null {
  if (typeof value === "number") return fromNumber(value);
  if (typeof value !== "string") return null;
  if (/^\d{1,16}$/.test(value)) return fromNumber(toNumber(value));
  return /^\d{4}-\d\d-\d\dT/.test(value) ? fromNumber(Date.parse(value), 0) : null;
}

function fromNumber(value: number, threshold = millisecondsFrom): number | null {
  const ms = round(value < threshold ? value * 1000 : value);
  return ms > 0 && ms <= instantMax ? ms : null;
}
