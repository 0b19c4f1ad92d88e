import type { Silence } from "./condition.ts";

const hourMs = 60 * 60_000;
const weekMs = 7 * 24 * hourMs;
const weeksMin = 3;
const weeksMax = 4;
/** The longest gap that is judged. */
const gapMsMax = 24 * hourMs;
/**
 * Of a count that varies twice as much as a Poisson's, none at all where 18 are expected has a chance of about 1 in 10,000:
 * exp(-18 / 2).
 */
const expectedMin = 18;

export interface SilenceFacts {
  lastDeliveryMs: number | null;
  /** Deliveries by the start of their hour, of the past weeks. */
  hours: ReadonlyMap<number, number>;
  nowMs: number;
}

/** Compares the time since the last delivery with the same hours of past weeks. */
export function judgeSilence({ lastDeliveryMs, hours, nowMs }: SilenceFacts): Silence {
  const lastDeliveryAt = lastDeliveryMs === null ? null : new Date(lastDeliveryMs).toISOString();
  const oldestMs = Math.min(...hours.keys());
  const weeks = hours.size === 0 ? 0 : Math.min(weeksMax, Math.floor((nowMs - oldestMs) / weekMs));
  const fromMs = Math.max(lastDeliveryMs ?? -Infinity, nowMs - gapMsMax);
  const expected = weeks === 0 ? 0 : expectedIn(fromMs, nowMs, hours, weeks);
  const aDay = weeks === 0 ? 0 : expectedIn(nowMs - gapMsMax, nowMs, hours, weeks);
  // Where a day without a delivery would not be unusual, no gap is.
  const verdict = weeks < weeksMin || aDay < expectedMin ? "unknown" : expected >= expectedMin ? "silent" : "usual";
  return { lastDeliveryAt, expected: Math.round(expected * 10) / 10, weeks, verdict };
}

/** The average of what these hours had in the past weeks; of an hour that is not whole its part. */
function expectedIn(fromMs: number, toMs: number, hours: ReadonlyMap<number, number>, weeks: number): number {
  let sum = 0;
  for (let startMs = Math.floor(fromMs / hourMs) * hourMs; startMs < toMs; startMs += hourMs) {
    const part = (Math.min(toMs, startMs + hourMs) - Math.max(fromMs, startMs)) / hourMs;
    for (let week = 1; week <= weeks; week += 1) sum += (hours.get(startMs - week * weekMs) ?? 0) * part;
  }
  return sum / weeks;
}
