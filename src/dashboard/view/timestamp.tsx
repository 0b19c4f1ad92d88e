"use client";

import { formatAgo, formatInstant, formatMinute, formatTime } from "../format.ts";
import { usePreferences } from "./preferences.tsx";

/** A point in time in the reader's zone; the exact instant and its age are in the title. */
export function Timestamp({ iso, nowMs }: { iso: string; nowMs: number }) {
  const { zone } = usePreferences();
  return (
    <time dateTime={iso} title={`${formatInstant(iso, zone)}, ${formatAgo(iso, nowMs)}`}>
      {formatTime(iso, nowMs, zone)}
    </time>
  );
}

/** A point in time in full, `2026-01-31 14:03:07.123 UTC`; `minute` leaves out the seconds. */
export function Instant({ iso, minute = false }: { iso: string; minute?: boolean }) {
  const { zone } = usePreferences();
  return <time dateTime={iso}>{minute ? formatMinute(iso, zone) : formatInstant(iso, zone)}</time>;
}
