const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** Before the second attempt, the third, and so on; the last one before every further one. */
const delaysMs = [10 * second, minute, 5 * minute, 30 * minute, 2 * hour, 6 * hour, 12 * hour, 24 * hour];

const retryAfterMsMin = second;
const retryAfterMsMax = 24 * hour;

/** How long after this failed attempt, 1 for the first, the next one is due; ten per cent more or less. */
export function retryDelayMs(attempt: number, random: () => number): number {
  const delayMs = delaysMs[Math.min(attempt, delaysMs.length) - 1] ?? retryAfterMsMin;
  return Math.round(delayMs * (0.9 + 0.2 * random()));
}

/**
 * When an error asks to be tried again, within the limits; null if it does not ask, or not in a form we know:
 * `retryAfterMs`, or `retryAfter` as a `Date` or in seconds, as the HTTP header.
 */
export function readRetryAfterMs(
  error: { retryAfterMs?: unknown; retryAfter?: unknown },
  nowMs: number,
): number | null {
  const { retryAfterMs, retryAfter } = error;
  const asked =
    retryAfterMs ??
    (retryAfter instanceof Date ? retryAfter.getTime() - nowMs : typeof retryAfter === "number" && retryAfter * second);
  if (typeof asked !== "number" || Number.isNaN(asked)) return null;
  return Math.round(Math.max(retryAfterMsMin, Math.min(retryAfterMsMax, asked)));
}

/**
 * After how many seconds QStash may deliver a message again that was refused for overload: its own next delay or up to a
 * fifth more, so that they do not all come back together. A shorter one would use up the retries that are meant for
 * outages. It ignores more than a day. https://upstash.com/docs/qstash/features/retry
 */
export function shedRetryAfterSeconds(retried: number, random: () => number): number {
  const ownSeconds = Math.exp(2.5 * (Math.max(0, retried) + 1));
  return Math.ceil(Math.min(24 * 60 * 60, ownSeconds * (1 + random() / 5)));
}
