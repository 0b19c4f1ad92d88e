/** Points in time in the zone that the reader chose: as the parts of a local time, and back. */

/** The zone of whoever chose none. All texts of the API and of logs are in it. */
export const utc = "UTC";

/** The name by which this runtime knows the zone, for example `Europe/Berlin`; null if it knows no such zone. */
export function knownZone(name: string): string | null {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}

/** The instant as the zone's clock and calendar show it, `2026-01-31T15:03:07.123`: as an ISO text without its offset. */
export function toZone(iso: string, zone: string): string {
  if (zone === utc) return iso.replace(/(\.\d{3})?Z$/, (fraction) => (fraction === "Z" ? ".000" : fraction.slice(0, 4)));
  const at = new Date(iso);
  const part = Object.fromEntries(formatIn(zone).formatToParts(at).map(({ type, value }) => [type, value]));
  const ms = String(at.getUTCMilliseconds()).padStart(3, "0");
  return `${part["year"]}-${part["month"]}-${part["day"]}T${part["hour"]}:${part["minute"]}:${part["second"]}.${ms}`;
}

/**
 * The instant of a local time, `2026-01-31T15:03` with or without seconds, as an ISO text in UTC; null for any other text.
 * A time that the clock skips or repeats becomes one of the two instants that are an hour apart.
 */
export function fromZone(local: string, zone: string): string | null {
  const asUtcMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?$/.test(local) ? Date.parse(`${local}Z`) : Number.NaN;
  if (Number.isNaN(asUtcMs)) return null;
  const offsetMs = (atMs: number) => Date.parse(`${toZone(new Date(atMs).toISOString(), zone)}Z`) - atMs;
  // The first guess may lie on the other side of a change of the clock.
  const guessMs = asUtcMs - offsetMs(asUtcMs);
  return new Date(asUtcMs - offsetMs(guessMs)).toISOString();
}

/** The zone's distance from UTC at that instant: `UTC`, `UTC+1` or `UTC-3:30`. */
export function zoneLabel(iso: string, zone: string): string {
  if (zone === utc) return utc;
  const parts = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "shortOffset" }).formatToParts(
    new Date(iso),
  );
  return (parts.find(({ type }) => type === "timeZoneName")?.value ?? zone).replace("GMT", utc);
}

/** One for each zone: making one takes as long as formatting hundreds of times with it. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatIn(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const digits = "2-digit";
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    ...{ year: "numeric", month: digits, day: digits, hour: digits, minute: digits, second: digits },
  });
  formats.set(timeZone, made);
  return made;
}
