import { formatInstant } from "../../format.ts";

/** Says that the list of events is empty, and what was looked at. */
export function nothingFound(
  { q, ...others }: Readonly<Record<string, string>>,
  scannedTo: string | null,
  zone: string,
): string {
  const since = scannedTo === null ? "" : ` since ${formatInstant(scannedTo, zone)}`;
  const isNarrowed = Object.keys(others).length > 0;
  if (q !== undefined) return `No event${since} has “${q}”${isNarrowed ? " and meets the other conditions" : ""}.`;
  return isNarrowed ? `No event${since} is like this.` : "No events are stored.";
}
