/** Conditions as the alert rules judge them. */
import type { Condition } from "#operations/condition/condition.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Nothing is wrong, and everything is known. */
export function wellAt(nowMs: number): Condition {
  const now = iso(nowMs);
  const none = { count: 0, isCapped: false, since: null, last: null };
  return {
    asOf: now,
    queue: { title: "QStash", inStore: false },
    store: "ok",
    storeFault: null,
    lost: none,
    refused: { ...none, perMinute: 0, byReason: [] },
    metaHour: { isRunning: false, since: null, minutesLeft: null, share: 0 },
    acksWithheld: none,
    publish: { state: "ok" },
    open: { ...none, oldest: null },
    stuck: none,
    failing: [],
    retrying: { count: 0, isCapped: false, nextAt: null },
    notIngested: none,
    deadLetters: { open: none, openGroups: 0, newest: [], expiring: { count: 0, withoutCopy: 0, first: null } },
    pause: { since: null, waiting: 0, askedAt: iso(nowMs) },
    canary: { isExpected: true, sentAt: now, arrivedAt: now, missingOn: [], isOverdue: false },
    maintenance: { ranAt: now, expectedFrom: now, failed: [] },
    partitions: { defaults: [] },
    ack: { count: 100, p99Ms: 20, overOneSecond: 0 },
    silence: { lastDeliveryAt: now, expected: 0, weeks: 4, verdict: "usual" },
  };
}

/** How each rule's facts look while it is to fire, `ms` after they began. */
export const bad: Record<string, (nowMs: number, ms: number) => Partial<Condition>> = {
  lost: (nowMs, ms) => ({
    lost: { count: 1, isCapped: false, since: iso(nowMs - ms), last: iso(nowMs - Math.min(ms, minuteMs)) },
  }),
  "acks-withheld": (nowMs) => ({
    acksWithheld: { count: 4, isCapped: false, since: iso(nowMs - minuteMs), last: iso(nowMs - minuteMs) },
  }),
  "meta-hour": (nowMs, ms) => ({
    metaHour: { isRunning: true, since: iso(nowMs - 16 * minuteMs - ms), minutesLeft: 44, share: 1 },
  }),
  "publish-failing": () => ({ publish: { state: "failing" } }),
  "ack-slow": () => ({ ack: { count: 200, p99Ms: 1_400, overOneSecond: 0.04 } }),
  "canary-missing": (nowMs) => ({
    canary: { isExpected: true, sentAt: iso(nowMs - hourMs), arrivedAt: null, missingOn: ["edge"], isOverdue: false },
  }),
  silence: (nowMs, ms) => ({
    silence: { lastDeliveryAt: iso(nowMs - 3 * hourMs - ms), expected: 30, weeks: 4, verdict: "silent" },
  }),
  "handler-failing": (nowMs) => ({
    failing: [
      {
        kind: "message",
        error: "TypeError",
        runs: 50,
        failed: 40,
        rate: 0.8,
        since: iso(nowMs),
        lastFailedAt: iso(nowMs),
        succeededSince: 0,
        deployment: "dpl_2",
        deployedAt: iso(nowMs),
      },
    ],
  }),
  "oldest-open": (nowMs, ms) => ({ open: { count: 3, isCapped: false, oldest: iso(nowMs - 20 * minuteMs - ms) } }),
  "dead-letter-group": (nowMs) => ({
    deadLetters: {
      open: { count: 40, isCapped: false },
      openGroups: 1,
      newest: [
        { id: 7, cause: "handler", errorName: "TypeError", kind: "message", at: iso(nowMs), isRegression: false },
      ],
      expiring: { count: 0, withoutCopy: 0, first: null },
    },
  }),
  "dead-letter-expiring": (nowMs) => ({
    deadLetters: {
      open: { count: 1, isCapped: false },
      openGroups: 0,
      newest: [],
      expiring: { count: 1, withoutCopy: 1, first: iso(nowMs + hourMs) },
    },
  }),
  paused: (nowMs, ms) => ({ pause: { since: iso(nowMs - 61 * minuteMs - ms), waiting: 3, askedAt: iso(nowMs) } }),
  maintenance: (nowMs, ms) => ({
    maintenance: { ranAt: null, expectedFrom: iso(nowMs - 16 * minuteMs - ms), failed: [] },
  }),
  "partition-default": () => ({ partitions: { defaults: ["events_default"] } }),
};

/** No fact is known. */
export const unknownFacts = Object.fromEntries(
  Object.entries(wellAt(0)).map(([name, fact]) => [name, ["asOf", "queue", "store"].includes(name) ? fact : null]),
) as unknown as Condition;

/** Everything that is bad in these ways, `ms` after it began. */
export function badIn(names: readonly string[], nowMs: number, ms = 0): Partial<Condition> {
  const facts: Partial<Condition> = {};
  for (const name of names) {
    const { deadLetters, ...others } = bad[name]?.(nowMs, ms) ?? {};
    // Two rules judge this fact.
    const { newest = [], openGroups = 0 } = facts.deadLetters ?? {};
    Object.assign(facts, others);
    if (deadLetters) facts.deadLetters = openGroups > 0 ? { ...deadLetters, newest, openGroups } : deadLetters;
  }
  return facts;
}

/** As ISO 8601. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
