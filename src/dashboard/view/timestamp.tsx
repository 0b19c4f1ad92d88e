import { formatAgo, formatInstant, formatTime } from "../format.ts";

/** A point in time in UTC; the exact instant and its age are in the title. */
export function Timestamp({ iso, nowMs }: { iso: string; nowMs: number }) {
  return (
    <time dateTime={iso} title={`${formatInstant(iso)}, ${formatAgo(iso, nowMs)}`}>
      {formatTime(iso, nowMs)}
    </time>
  );
}
