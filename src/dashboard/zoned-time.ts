/** Wall-clock times of a zone, as `datetime-local` fields have them. */
import { toZone } from "./zone.ts";

/** `2026-01-31T14:03:07.123` in a zone, without the seconds or milliseconds if they are zero. */
export function localTime(iso: string, zone: string): string {
  return toZone(iso, zone)
    .replace(/\.000$/, "")
    .replace(/(T\d\d:\d\d):00$/, "$1");
}

/**
 * The instant of a wall-clock time in a zone, ISO 8601. A time that a change of the clock repeats or skips is read with one
 * of its two offsets.
 */
export function instantOfLocal(local: string, zone: string): string {
  const asUtcMs = Date.parse(`${local}Z`);
  const guessMs = asUtcMs - offsetMs(asUtcMs, zone);
  return new Date(asUtcMs - offsetMs(guessMs, zone)).toISOString();
}

/** Whether a text is a wall-clock time, which needs a zone to be an instant. */
export function isLocalTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?$/.test(text) && !Number.isNaN(Date.parse(`${text}Z`));
}

/** How far the zone is ahead of UTC at an instant. */
function offsetMs(atMs: number, zone: string): number {
  return Date.parse(`${toZone(new Date(atMs).toISOString(), zone)}Z`) - atMs;
}
