import type { DescribedReplay } from "#operations/describe-replay.ts";

import { formatCount, formatMs } from "../format.ts";

/** Whether a plan was not started in time. */
export function isExpired({ state, expiresAt }: DescribedReplay, nowMs: number): boolean {
  return state === "planned" && Date.parse(expiresAt) <= nowMs;
}

/** The state in words. */
export function runStateWords(replay: DescribedReplay, nowMs: number): string {
  if (isExpired(replay, nowMs)) return "plan expired";
  return replay.state;
}

/** `512 events` or `512 events and 3 batches`. */
export function setWords({ count, batches }: { count: number; batches: number }): string {
  const words = [
    ...(count > 0 || batches === 0 ? [plural(count, "event", "events")] : []),
    ...(batches > 0 ? [plural(batches, "batch", "batches")] : []),
  ];
  return words.join(" and ");
}

/** What starting it does, for the question before it. */
export function consequences(replay: DescribedReplay): string {
  const { mode, byKind, byAge, qstashMessages, estimatedMs } = replay;
  const kinds = Object.entries(byKind).map(([kind, count]) => `${formatCount(count)} ${kind}`);
  const late = byAge.lt7d + byAge.older;
  return [
    `The handlers of ${setWords(replay)} run${mode === "again" ? " again, also those that succeeded" : ""}`,
    `${kinds.length === 0 ? "" : ` (${kinds.join(", ")})`}.`,
    ` It takes ${plural(qstashMessages, "queue message", "queue messages")} and about ${formatMs(estimatedMs)}.`,
    late === 0
      ? ""
      : ` ${plural(late, "event", "events")} happened over 24 hours ago: Meta refuses an automatic answer to them.`,
  ].join("");
}

function plural(count: number, one: string, several: string): string {
  return `${formatCount(count)} ${count === 1 ? one : several}`;
}
