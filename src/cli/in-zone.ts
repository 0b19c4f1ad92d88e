import { CliFailure } from "#platform/failure.ts";

const instantPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * A time in UTC as the same time in the zone, with its offset, so that it can be pasted into `--from`; any other text as it
 * is.
 */
export function inZone(text: string, zone: string): string {
  if (zone === "UTC" || !instantPattern.test(text)) return text;
  const parts = Object.fromEntries(formatOf(zone).formatToParts(new Date(text)).map(({ type, value }) => [type, value]));
  const { year, month, day, hour, minute, second, fractionalSecond, timeZoneName = "" } = parts;
  const offset = timeZoneName === "GMT" ? "Z" : timeZoneName.slice("GMT".length);
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.${fractionalSecond}${offset}`;
}

/** Throws a `CliFailure` unless the system knows a zone of that name. */
export function requireZone(zone: string): string {
  try {
    formatOf(zone);
    return zone;
  } catch {
    throw new CliFailure(`--zone ${zone}: no time zone has that name; an example is Europe/Berlin.`);
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    timeZoneName: "longOffset",
  });
  formats.set(timeZone, format);
  return format;
}
