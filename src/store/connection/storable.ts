// Values as Postgres accepts them. Values from outside may be odd in any way, and one odd value must not lose the row.

const textLengthMax = 200;
const smallintMax = 32_767;
const integerMax = 2_147_483_647;
/** The end of the year 9999: later years are written with six digits, which Postgres does not read. */
const instantMaxMs = 253_402_300_799_999;

/** Text that a search column can hold: Postgres refuses NUL, and an index refuses long values. */
export function storableText(text: string): string {
  return text.replaceAll("\0", "\uFFFD").slice(0, textLengthMax);
}

/** The nearest whole number that a column of type integer can hold; 0 for NaN. */
export function storableInteger(value: number): number {
  return Math.min(integerMax, Math.max(-integerMax, Math.round(value) || 0));
}

/** The nearest whole number that a column of type smallint can hold; 0 for NaN. */
export function storableSmallint(value: number): number {
  return Math.min(smallintMax, Math.max(-smallintMax, storableInteger(value)));
}

/** A time in milliseconds since the epoch as a `Date`; null for a time that Postgres would refuse. */
export function storableInstant(ms: number | null): Date | null {
  return ms !== null && ms >= 0 && ms <= instantMaxMs ? new Date(ms) : null;
}
