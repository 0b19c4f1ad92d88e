// Values as Postgres takes them. What others send may be odd in any way, and one odd value must not cost the whole row.

const textLengthMax = 200;
const integerMax = 2_147_483_647;
/** The end of the year 9999: later years are written with six digits, which Postgres does not read. */
const instantMaxMs = 253_402_300_799_999;

/** Text that a search column can hold: Postgres takes no NUL and an index no long rows. */
export function storableText(text: string): string {
  return text.replaceAll("\0", "\uFFFD").slice(0, textLengthMax);
}

/** A whole number that a column of type integer can hold: the nearest one, and 0 for what is no number. */
export function storableInteger(value: number): number {
  return Math.min(integerMax, Math.max(-integerMax, Math.round(value) || 0));
}

/** A time in milliseconds since the epoch as a `Date`; null for one that Postgres cannot be given. */
export function storableInstant(ms: number | null): Date | null {
  return ms !== null && ms >= 0 && ms <= instantMaxMs ? new Date(ms) : null;
}
