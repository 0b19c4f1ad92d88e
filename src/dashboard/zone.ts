/** Points in time in the zone that the reader chose. */

/** The zone of a reader who chose none, of the API and of the log. */
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
  const at = new Date(iso);
  if (zone === utc) return at.toISOString().slice(0, 23);
  const part = Object.fromEntries(
    formatIn(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const ms = String(at.getUTCMilliseconds()).padStart(3, "0");
  return `${part["year"]}-${part["month"]}-${part["day"]}T${part["hour"]}:${part["minute"]}:${part["second"]}.${ms}`;
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
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  formats.set(timeZone, made);
  return made;
}
