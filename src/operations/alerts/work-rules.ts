// The rules about what is stored: handlers, open events, dead letters, pausing, maintenance.
import type { FailingHandler, OpenGroup } from "../condition/condition.ts";
import { amount } from "../condition/amount.ts";
import { failsTooOften, heldAtQueue, isMaintenanceLate, since, waitsTooLong } from "../condition/limits.ts";
import { type AlertRule, atOnce, atSecond, describeInstant, one, percent, safeName } from "./alert-rule.ts";
import type { Judgement } from "./alert-state.ts";
import { describeDuration } from "./describe-duration.ts";

/** A rule that fires is resolved only well below its limit, so that what swings around it is one alert. */
const failureShareResolves = 0.1;
const pausedMs = 60 * 60_000;

const handlerFailing: AlertRule = {
  name: "handler-failing",
  title: "A handler fails",
  severity: "warning",
  unit: "share",
  threshold: "20 % of its calls in 15 minutes, at least 5, at two evaluations; per kind",
  advice: "The page Handlers has its errors with their frames. Mend it, deploy, and replay what failed.",
  path: () => "/dashboard/handlers",
  patience: atSecond,
  isDirect: false,
  judge({ failing }) {
    return failing === null ? null : { scopes: failing.map(judgeHandler), others: 0 };
  },
};

function judgeHandler(handler: FailingHandler): Judgement {
  const { kind, error, runs, failed, rate, since: at, deployment } = handler;
  const start =
    deployment === null
      ? `since ${describeInstant(at)}`
      : `since ${describeInstant(at)}, in deployment ${safeName(deployment)}`;
  return {
    scope: kind,
    level: failsTooOften(handler) ? 1 : rate <= failureShareResolves ? 0 : null,
    value: rate,
    text: `${kind}: ${failed} of ${amount(runs, "call")} failed (${percent(rate)}), most with ${safeName(error)}, ${start}.`,
  };
}

const oldestOpen: AlertRule = {
  name: "oldest-open",
  title: "An event is not handled",
  severity: "warning",
  unit: "ms",
  threshold: "the oldest open event, or a batch that the queue has, is older than 15 minutes",
  advice: "Its page says what it waits for: its handler fails, maintenance does not run, or ingestion is behind.",
  path: () => "/dashboard/events?state=unhandled",
  patience: atOnce,
  isDirect: false,
  judge(condition, nowMs) {
    const { open, retrying, stuck, queue } = condition;
    const held = heldAtQueue(condition);
    if (held !== null && waitsTooLong(held.since, nowMs)) {
      const heldMs = since(held.since, nowMs) ?? 0;
      const text = `${queue.title} has had ${amount(held.count, "delivery", held.isCapped)} for up to ${describeDuration(heldMs)}, and the consumer has not ingested them.`;
      return one(1, heldMs, text);
    }
    if (open === null) return null;
    const ms = since(open.oldest, nowMs) ?? 0;
    if (open.count === 0) return held === null ? null : one(0, 0, "Every event is handled.");
    const parts = [
      ...(stuck !== null && stuck.count > 0 ? [`${amount(stuck.count, "event", stuck.isCapped)} overdue`] : []),
      ...(retrying !== null && retrying.count > 0
        ? [`${amount(retrying.count, "event", retrying.isCapped)} waiting for the next attempt`]
        : []),
    ];
    const text = `The oldest of ${amount(open.count, "open event", open.isCapped)} is ${describeDuration(ms)} old${parts.length === 0 ? "" : `: ${parts.join(", ")}`}.`;
    return one(waitsTooLong(open.oldest, nowMs) ? 1 : 0, ms, text);
  },
};

const deadLetterGroup: AlertRule = {
  name: "dead-letter-group",
  title: "A group of dead letters is open",
  severity: "warning",
  unit: "count",
  threshold: "new, or recurred, and not decided; per group",
  advice: "Mend the cause, deploy, and replay the group; or acknowledge, ignore or resolve it.",
  path: (scope) => `/dashboard/dead-letters/${scope}`,
  patience: { firesAfterMs: 0, resolvesAfterMs: 0 },
  isDirect: false,
  judge({ deadLetters }) {
    if (deadLetters === null) return null;
    const { newest, openGroups } = deadLetters;
    // Only the newest groups are read: of an older one it is not known whether it is still open.
    return { scopes: newest.map(judgeGroup), others: openGroups > newest.length ? null : 0 };
  },
};

function judgeGroup({ id, cause, errorName, kind, at, isRegression }: OpenGroup): Judgement {
  const of = [cause, errorName, kind].flatMap((name) => (name === null ? [] : [safeName(name)])).join(", ");
  const text = `Group ${id} (${of}) ${isRegression ? "recurred" : "began"} at ${describeInstant(at)}.`;
  return { scope: String(id), level: 1, value: null, text };
}

const deadLetterExpiring: AlertRule = {
  name: "dead-letter-expiring",
  title: "QStash will delete dead letters",
  severity: "warning",
  unit: "count",
  threshold: "one within 24 hours, in a group that is open or acknowledged",
  advice: "Replay them, or resolve their group. Where the relay has no whole copy, QStash's is the only one.",
  path: () => "/dashboard/dead-letters",
  patience: atOnce,
  isDirect: false,
  judge({ deadLetters }, nowMs) {
    if (deadLetters === null) return null;
    const { count, withoutCopy, first } = deadLetters.expiring;
    const text =
      first === null
        ? "None expires within 24 hours."
        : `${amount(count, "dead letter")} expire at QStash, the first in ${describeDuration(-(since(first, nowMs) ?? 0))}; the relay has a whole copy ${withoutCopy === 0 ? "of each" : `of all but ${withoutCopy}`}.`;
    return one(count > 0 ? 1 : 0, count, text);
  },
};

const paused: AlertRule = {
  name: "paused",
  title: "Ingestion is paused",
  severity: "warning",
  unit: "ms",
  threshold: "for an hour",
  advice: "npm run relay -- resume ends the pause. The queue keeps what waits for a limited time.",
  path: () => "/dashboard",
  patience: { firesAfterMs: 0, resolvesAfterMs: 0 },
  isDirect: false,
  judge({ pause, queue }, nowMs) {
    if (pause === null) return null;
    const ms = since(pause.since, nowMs);
    if (ms === null) return one(0, 0, "Ingestion is not paused.");
    const waiting = pause.waiting === null ? "" : `; ${amount(pause.waiting, "batch")} wait at ${queue.title}`;
    return one(ms >= pausedMs ? 1 : 0, ms, `Paused for ${describeDuration(ms)}${waiting}.`);
  },
};

const maintenance: AlertRule = {
  name: "maintenance",
  title: "Maintenance does not run",
  severity: "warning",
  unit: "ms",
  threshold: "for 15 minutes",
  advice:
    "npm run relay -- schedule check says what calls it. Without it lost messages are not found, and rules are evaluated only when reports arrive.",
  path: () => "/dashboard/diagnostics",
  patience: { firesAfterMs: 0, resolvesAfterMs: 0 },
  isDirect: true,
  judge({ maintenance: fact }, nowMs) {
    if (fact === null) return null;
    const ms = since(fact.ranAt, nowMs);
    const level = isMaintenanceLate(fact, nowMs) ? 1 : 0;
    if (ms === null) return one(level, null, "It has never run.");
    const failed = fact.failed.length === 0 ? "" : ` Parts that failed: ${fact.failed.join(", ")}.`;
    return one(level, ms, `It last ran ${describeDuration(ms)} ago.${failed}`);
  },
};

const partitionDefault: AlertRule = {
  name: "partition-default",
  title: "A partition was not made in time",
  severity: "warning",
  unit: "count",
  threshold: "a default partition has rows",
  advice:
    "Retention deletes from a default partition row by row, and the disk grows. npm run relay -- migrate makes what is missing; the role of maintenance must own the tables.",
  path: () => "/dashboard/diagnostics",
  patience: atOnce,
  isDirect: false,
  judge({ partitions }) {
    if (partitions === null) return null;
    const { defaults } = partitions;
    const text = defaults.length === 0 ? "No default partition has rows." : `Rows are in ${defaults.join(", ")}.`;
    return one(defaults.length > 0 ? 1 : 0, defaults.length, text);
  },
};

export const workRules: readonly AlertRule[] = [
  handlerFailing,
  oldestOpen,
  deadLetterGroup,
  deadLetterExpiring,
  paused,
  maintenance,
  partitionDefault,
];
