import { knownZone, toZone, utc } from "#dashboard/zone.ts";
import { CliFailure } from "#platform/failure.ts";

const instantPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/**
 * A time in UTC as the same time in the zone, with its offset, so that it can be pasted into `--from`; any other text as it
 * is.
 */
export function inZone(text: string, zone: string): string {
  if (zone === utc || !instantPattern.test(text)) return text;
  const local = toZone(text, zone);
  const minutes = Math.round((Date.parse(`${local}Z`) - Date.parse(text)) / 60_000);
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const two = (part: number) => String(part).padStart(2, "0");
  return `${local}${minutes < 0 ? "-" : "+"}${two(hours)}:${two(rest)}`;
}

/** The system's name of the zone. Throws a `CliFailure` unless it knows one of that name. */
export function requireZone(zone: string): string {
  const known = knownZone(zone);
  if (known === null) throw new CliFailure(`--zone ${zone}: no time zone has that name; an example is Europe/Berlin.`);
  return known;
}
