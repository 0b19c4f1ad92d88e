/** Numbers and times on the pages: in one locale, and in the zone given, so that server and browser agree. */

import { toZone, utc, zoneLabel } from "./zone.ts";

const nothing = "–";
const counts = new Intl.NumberFormat("en-US");

/** `1,234` */
export function formatCount(count: number | null): string {
  return count === null ? nothing : counts.format(count);
}

/** A share of 1 as a percentage, `99.9 %`; `–` for null. */
export function formatShare(share: number | null): string {
  if (share === null) return nothing;
  // Rounded down: 99.96 % must not read as 100 %.
  return `${share === 1 ? "100" : (Math.floor(share * 1_000) / 10).toFixed(1)} %`;
}

/** Milliseconds in the unit that fits, from `0.4 ms` to `3 d`; `–` for none. */
export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return nothing;
  const size = Math.abs(ms);
  const sign = ms < 0 ? "−" : "";
  if (size < 9.95) return `${sign}${size.toFixed(1)} ms`;
  if (size < 999.5) return `${sign}${Math.round(size)} ms`;
  if (size < 59_950) return `${sign}${(size / 1_000).toFixed(size < 9_995 ? 2 : 1)} s`;
  return `${sign}${coarse(size)}`;
}

/** `512 B`, `1.5 kB`, `2.0 MB` */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** `14:03:07`, after the day if it is not the day of `nowMs`. */
export function formatTime(iso: string, nowMs: number, zone: string = utc): string {
  const local = toZone(iso, zone);
  const time = local.slice(11, 19);
  const today = toZone(new Date(nowMs).toISOString(), zone).slice(0, 10);
  return local.startsWith(today) ? time : `${local.slice(0, 10)} ${time}`;
}

/** `2026-01-31 14:03:07.123 UTC` */
export function formatInstant(iso: string, zone: string = utc): string {
  const local = toZone(iso, zone);
  return `${local.slice(0, 10)} ${local.slice(11, 23)} ${zoneLabel(iso, zone)}`;
}

/** `2026-01-31 14:03 UTC` */
export function formatMinute(iso: string, zone: string = utc): string {
  const local = toZone(iso, zone);
  return `${local.slice(0, 10)} ${local.slice(11, 16)} ${zoneLabel(iso, zone)}`;
}

/** For a sentence: `14:03 UTC`, or `31 Jan, 14:03 UTC` if it is not the day of `nowMs`. */
export function formatMoment(iso: string, nowMs: number, zone: string = utc): string {
  const local = toZone(iso, zone);
  const isToday = local.slice(0, 10) === toZone(new Date(nowMs).toISOString(), zone).slice(0, 10);
  const day = `${Number(local.slice(8, 10))} ${months[Number(local.slice(5, 7)) - 1] ?? ""}, `;
  return `${isToday ? "" : day}${local.slice(11, 16)} ${zoneLabel(iso, zone)}`;
}

/** `3 min ago` */
export function formatAgo(iso: string, nowMs: number): string {
  const agoMs = nowMs - Date.parse(iso);
  if (agoMs < 1_000) return "just now";
  return `${coarse(agoMs)} ago`;
}

/** `in 4 min`, or `now` for what is due. */
export function formatIn(iso: string, nowMs: number): string {
  const inMs = Date.parse(iso) - nowMs;
  return inMs < 1_000 ? "now" : `in ${coarse(inMs)}`;
}

/** `14:03` or, over more than a day, `31 Jan`. */
export function formatAxisTime(iso: string, spanMs: number, zone: string = utc): string {
  const local = toZone(iso, zone);
  if (spanMs <= 24 * 3_600_000) return local.slice(11, 16);
  return `${Number(local.slice(8, 10))} ${months[Number(local.slice(5, 7)) - 1] ?? ""}`;
}

/** The runtime's name on the pages. */
export function runtimeLabel(runtime: string): string {
  return runtime === "nodejs" ? "Node" : runtime === "edge" ? "Edge" : runtime;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function coarse(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}
