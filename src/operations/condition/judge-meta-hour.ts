import type { MetaHour } from "./condition.ts";

/** What the webhook answered in one minute: to what may be Meta's, without strangers' requests that have no signature. */
export interface AnsweredMinute {
  atMs: number;
  refused: number;
  acked: number;
}

const minuteMs = 60_000;
/** Meta unsubscribes after an hour of failures. https://developers.facebook.com/docs/messenger-platform/webhooks */
const hourMs = 60 * minuteMs;
/** Meta repeats what was refused: so long without a refusal, and there is nothing that fails. */
const quietMs = 15 * minuteMs;
const shareMin = 0.5;

/** Whether Meta's hour runs, since when, and how much is left of it. Minutes without a request say nothing. */
export function judgeMetaHour(minutes: readonly AnsweredMinute[], nowMs: number): MetaHour {
  const answered = minutes.filter(({ refused, acked }) => refused + acked > 0).toSorted((a, b) => b.atMs - a.atMs);
  const recent = answered.filter(({ atMs }) => atMs > nowMs - quietMs);
  const sum = (of: (minute: AnsweredMinute) => number) => recent.reduce((total, minute) => total + of(minute), 0);
  const all = sum(({ refused, acked }) => refused + acked);
  const share = all === 0 ? null : sum(({ refused }) => refused) / all;
  const firstGood = answered.findIndex(({ refused, acked }) => refused / (refused + acked) < shareMin);
  const failing = firstGood === -1 ? answered : answered.slice(0, firstGood);
  const begun = failing.at(-1);
  const isRecent = (failing[0]?.atMs ?? -Infinity) > nowMs - quietMs - minuteMs;
  if (begun === undefined || !isRecent) return { isRunning: false, since: null, minutesLeft: null, share };
  const minutesLeft = Math.max(0, Math.ceil((begun.atMs + hourMs - nowMs) / minuteMs));
  return { isRunning: true, since: new Date(begun.atMs).toISOString(), minutesLeft, share };
}
