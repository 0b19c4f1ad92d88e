import { expect, test } from "vitest";

import { describeStatus } from "#dashboard/status/describe-status.ts";
import { readStatus } from "#dashboard/status/read-status.ts";
import { whenIn } from "#dashboard/status/status-words.ts";
import type { ItemName, Status } from "#dashboard/status/status.ts";
import { alertRules, findRule } from "#operations/alerts/alert-rules.ts";
import type { Condition, Happened } from "#operations/condition/condition.ts";
import { rollUp } from "#operations/roll-up.ts";
import { systemClock } from "#platform/clock.ts";
import { openDatabase } from "#store/connection/database.ts";
import { deliveries } from "#store/schema/delivery-schema.ts";
import { deadLetterGroups, deadLetters } from "#store/schema/operations-schema.ts";

import { bad, wellAt } from "../operations/alert-conditions.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore } from "../support/store.ts";
import { deliveryRow, eventRow, insertOpenEvent } from "./rows.ts";

const nowMs = Date.parse("2026-01-31T12:00:00.000Z");
const ago = (minutes: number) => new Date(nowMs - minutes * 60_000).toISOString();
const never: Happened = { count: 0, isCapped: false, since: null, last: null };
const none = { count: 0, isCapped: false };

const well: Condition = {
  ...wellAt(nowMs),
  silence: { lastDeliveryAt: ago(1), expected: 0, weeks: 0, verdict: "unknown" },
};
const describe = (facts: Partial<Condition>, zone = "UTC", { lostInMonth = 0, refusedInDay = 0 } = {}) =>
  describeStatus({
    condition: { ...well, ...facts },
    lostInMonth,
    refusedInDay,
    backfills: [],
    when: whenIn(zone, nowMs),
  });
const itemOf = ({ items }: Pick<Status, "items">, name: ItemName) => items.find((item) => item.name === name);
const failing = {
  kind: "comment",
  error: "CrmError",
  runs: 31,
  failed: 29,
  rate: 29 / 31,
  since: ago(586),
  lastFailedAt: ago(4),
  succeededSince: 2,
};
const wrongSecret = { count: 12, isCapped: false, since: ago(20), last: ago(0) };

test("a relay that is well says so, and when the last delivery arrived", () => {
  const status = describe({});
  expect(status).toMatchObject({
    status: "ok",
    sentence: "Nothing is lost, stuck or failing. The last delivery arrived at 11:59 UTC.",
  });
  expect(status.items.map(({ name }) => name)).toEqual(["lost", "refused", "stuck", "failing", "waiting", "metaHour"]);
  expect(itemOf(describe({}, "UTC", { lostInMonth: 2 }), "lost")?.sentence).toMatch(
    /2 deliveries were lost in the 29 days before/,
  );
  expect(itemOf(describe({}, "UTC", { refusedInDay: 37 }), "refused")).toMatchObject({
    state: "ok",
    count: 0,
    sentence: "No delivery was refused in the last hour. 37 deliveries were refused in the 23 hours before.",
    href: "/dashboard#refusals",
  });
});

test.each<[name: string, facts: Partial<Condition>, status: Status["status"], sentence: string | RegExp]>([
  [
    "a handler that fails since a deployment",
    {
      failing: [{ ...failing, deployment: "abc", deployedAt: ago(590) }],
      retrying: { ...none, count: 29, nextAt: null },
    },
    "failing",
    "Nothing is lost. The handler of comment has failed since 02:14 UTC, since deployment abc: CrmError in 29 of 31 calls in 15 minutes.",
  ],
  [
    "a handler that works again",
    { failing: [{ ...failing, succeededSince: 3, deployment: null, deployedAt: null }] },
    "attention",
    /failed from 02:14 UTC until 11:56 UTC: CrmError in 29 of 31 calls in 15 minutes, and none of the 3 calls since then failed\.$/,
  ],
  [
    "a handler that works again, and failed within one minute",
    { failing: [{ ...failing, since: ago(4), succeededSince: 3, deployment: null, deployedAt: null }] },
    "attention",
    /^Nothing is lost\. The handler of comment failed at 11:56 UTC: CrmError in 29 of 31 calls in 15 minutes, and none/,
  ],
  [
    "a handler that works again, beside one that does not",
    {
      failing: [
        { ...failing, failed: 31, succeededSince: 3, deployment: null, deployedAt: null },
        { ...failing, kind: "message", deployment: null, deployedAt: null },
      ],
    },
    "failing",
    /^Nothing is lost\. The handler of message has failed since 02:14 UTC: /,
  ],
  [
    "a wrong secret, while Meta's hour runs",
    {
      refused: { ...wrongSecret, perMinute: 1, byReason: [{ reason: "SIGNATURE_INVALID", ...wrongSecret }] },
      metaHour: { isRunning: true, since: ago(20), minutesLeft: 40, share: 1 },
    },
    "failing",
    /^Nothing is lost\. Meta’s hour has run since 11:40 UTC: in 40 minutes .* 12 deliveries were refused in the last hour, since 11:40 UTC, the last at 12:00 UTC: /,
  ],
  [
    "a wrong secret among more requests of strangers",
    {
      refused: {
        ...wrongSecret,
        count: 112,
        perMinute: 1,
        byReason: [
          { reason: "SIGNATURE_MISSING", ...wrongSecret, count: 100 },
          { reason: "SIGNATURE_INVALID", ...wrongSecret },
        ],
      },
    },
    "attention",
    /112 deliveries were refused in the last hour, since 11:40 UTC, 12 of them for one reason, the last at 12:00 UTC: their signature does not match \(401\)\.$/,
  ],
  [
    "Meta's hour before what else fails",
    {
      failing: [{ ...failing, deployment: null, deployedAt: null }],
      stuck: { count: 5, isCapped: false, since: ago(20) },
      publish: { state: "failing" },
      metaHour: { isRunning: true, since: ago(20), minutesLeft: 40, share: 1 },
    },
    "failing",
    /^Nothing is lost\. Meta’s hour has run since 11:40 UTC: .* QStash does not accept what the relay publishes\. 5 events are due since 11:40/,
  ],
  [
    "requests of strangers",
    { refused: { ...wrongSecret, perMinute: 1, byReason: [{ reason: "SIGNATURE_MISSING", ...wrongSecret }] } },
    "ok",
    /^Nothing is lost, stuck or failing/,
  ],
  ["a loss", { lost: { ...never, count: 1, since: ago(5) } }, "failing", /^1 delivery was lost since 11:55 UTC/],
  ["what is unknown", { lost: null }, "attention", "Whether deliveries are lost is unknown."],
  [
    "a store that is away",
    {
      ...Object.fromEntries(Object.keys(well).map((name) => [name, null])),
      asOf: well.asOf,
      queue: well.queue,
      store: "down",
    },
    "failing",
    /^Postgres does not answer\./,
  ],
  [
    "a pause",
    { pause: { since: ago(60), waiting: 7, askedAt: ago(2) }, notIngested: { ...never, count: 7, since: ago(60) } },
    "attention",
    /paused since 11:00 UTC/,
  ],
  [
    "batches that QStash does not deliver",
    { notIngested: { ...never, count: 7, since: ago(3) } },
    "attention",
    /7 deliveries since 11:57 UTC/,
  ],
])("the status says %s", (_name, facts, status, sentence) => {
  const described = describe(facts);
  expect(described).toMatchObject({ status, sentence: expect.stringMatching(sentence) });
});

/** The item of the status page that has the facts of each alert rule. */
const itemOfRule: Record<string, ItemName> = {
  lost: "lost",
  "acks-withheld": "refused",
  "meta-hour": "metaHour",
  "publish-failing": "publish",
  "ack-slow": "ack",
  "canary-missing": "canary",
  silence: "silence",
  "handler-failing": "failing",
  "oldest-open": "waiting",
  "dead-letter-group": "failing",
  "dead-letter-expiring": "expiring",
  paused: "pause",
  maintenance: "maintenance",
  "partition-default": "partitions",
};

test.each(alertRules)("the status page says what $name is about, and calls what is critical failing", (rule) => {
  const facts: Partial<Condition> = bad[rule.name]?.(nowMs, 0) ?? {};
  if (rule.name === "acks-withheld" && facts.acksWithheld) {
    facts.refused = { ...facts.acksWithheld, perMinute: 1, byReason: [{ reason: "NOT_KEPT", ...facts.acksWithheld }] };
  }
  const item = itemOf(describe(facts), itemOfRule[rule.name] ?? "store");
  expect(rule.judge({ ...well, ...facts }, nowMs)?.scopes[0]?.level).toBe(1);
  expect(item?.state).toMatch(rule.severity === "critical" ? /^failing$/ : /^(attention|failing)$/);
});

const fewFailed = { ...failing, runs: 500, failed: 4, rate: 4 / 500, deployment: null, deployedAt: null };
const oneRetried = {
  open: { count: 1, isCapped: false, oldest: ago(20) },
  retrying: { ...none, count: 1, nextAt: null },
};
test("what waits during a pause is said with the time at which the queue was asked", () => {
  const pause = { since: ago(60), waiting: 7, askedAt: ago(2) };
  expect(itemOf(describe({ pause }), "pause")?.sentence).toMatch(
    / stay at QStash, where 7 batches waited at 11:58 UTC\.$/,
  );
});

const heldLong = { ...never, count: 1, since: ago(20), last: ago(20) };
const expiring = { count: 1, withoutCopy: 0, first: ago(-60) };

test.each<[name: string, facts: Partial<Condition>, ruleName: string, level: number | null, status: Status["status"]]>([
  ["one slow ack of twenty", { ack: { count: 20, p99Ms: 1_200, overOneSecond: 0.05 } }, "ack-slow", null, "ok"],
  ["few failures of many calls", { failing: [fewFailed] }, "handler-failing", 0, "ok"],
  ["an event that is retried for long", oneRetried, "oldest-open", 1, "attention"],
  ["a batch that QStash has for long", { notIngested: heldLong }, "oldest-open", 1, "failing"],
  [
    "the same while ingestion is paused",
    { notIngested: heldLong, pause: { since: ago(30), waiting: 1, askedAt: ago(2) } },
    "oldest-open",
    0,
    "attention",
  ],
  [
    "an expiring dead letter with a copy",
    { deadLetters: { open: none, openGroups: 0, newest: [], expiring } },
    "dead-letter-expiring",
    1,
    "attention",
  ],
  [
    "a relay that began a moment ago",
    { maintenance: { ranAt: null, expectedFrom: ago(2), failed: [] } },
    "maintenance",
    0,
    "ok",
  ],
  [
    "maintenance that never ran while deliveries arrive",
    { maintenance: { ranAt: null, expectedFrom: ago(20), failed: [] } },
    "maintenance",
    1,
    "attention",
  ],
  [
    "one refused delivery",
    { metaHour: { isRunning: true, since: ago(2), minutesLeft: 58, share: 1 } },
    "meta-hour",
    0,
    "attention",
  ],
])("the status page and the alert rule agree on %s", (_name, facts, ruleName, level, status) => {
  expect(findRule(ruleName)?.judge({ ...well, ...facts }, nowMs)?.scopes[0]?.level).toBe(level);
  expect(describe(facts).status).toBe(status);
});

test("what failed within the last minutes and is handled by now leads to the handlers", () => {
  expect(itemOf(describe({ failing: [{ ...failing, deployment: null, deployedAt: null }] }), "failing")).toMatchObject({
    state: "failing",
    count: 0,
    sentence: expect.stringMatching(/in 15 minutes\. No event is tried again now, and no dead letter is left\.$/),
    href: "/dashboard/handlers",
  });
});

test("what is stuck leads to the list that has it, whether it has failed before or not", () => {
  const status = describe({ stuck: { count: 5, isCapped: false, since: ago(20) } });
  expect(itemOf(status, "stuck")).toMatchObject({ count: 5, href: "/dashboard/events?state=unhandled" });
});

test("what is unknown has no count, and times are in the reader's zone", () => {
  const status = describe({ stuck: null, failing: null, lost: { ...never, count: 3, since: ago(5) } }, "Asia/Kolkata");
  expect(itemOf(status, "stuck")).toMatchObject({ state: "unknown", count: null });
  expect(itemOf(status, "failing")).toMatchObject({ state: "unknown", count: null });
  expect(itemOf(status, "lost")).toMatchObject({
    count: 3,
    sentence: expect.stringContaining("since 17:25 UTC+5:30"),
    href: `/dashboard/deliveries?${new URLSearchParams({ outcome: "lost", from: ago(5) })}`,
  });
});

test("what is stored becomes counts that lead to their lists, and the last deployment is compared with the one before", async () => {
  const { db } = await openTestStore();
  const now = Date.now();
  const at = (minutes: number) => new Date(now - minutes * 60_000);
  await db
    .insert(deliveries)
    .values([
      deliveryRow({ id: "d_lost", receivedAt: at(30), outcome: "lost" }),
      deliveryRow({ id: "d_old", receivedAt: at(3 * 24 * 60), outcome: "lost" }),
    ]);
  const event = eventRow({ key: "k", deliveryId: "d_lost", ingestedAt: at(30), kind: "comment" });
  await insertOpenEvent(db, event, {
    errorName: "CrmError",
    attempts: 1,
    firstFailedAt: at(29),
    nextAttemptAt: at(-5),
  });
  const [group] = await db
    .insert(deadLetterGroups)
    .values({ fingerprint: "f", cause: "handler", errorName: "CrmError", kind: "comment", firstAt: at(60) })
    .returning({ id: deadLetterGroups.id });
  await db
    .insert(deadLetters)
    .values([1, 2].map((id) => ({ source: "handler", sourceId: `${id}`, groupId: group?.id ?? 0 })));
  const measured = [
    { deployment: "before", at: at(300), failed: 0, ms: 10 },
    { deployment: "after", at: at(200), failed: 1, ms: 40 },
  ].map(({ deployment, at: when, failed, ms }) => ({
    deployment,
    at: when,
    facts: {
      times: [
        ["ack", ms, 1],
        ["handler", 5, 1, "comment"],
      ],
      counts: [["deliveries", 1], ...(failed === 0 ? [] : [["handlerFailure", failed, "CrmError", "comment"]])],
    },
  }));
  await db.$client.query(
    `insert into relay.measurements (at, runtime, deployment, cold, probe, facts)
    select at, 'edge', deployment, false, false, facts from json_to_recordset($1::json) as m (at timestamptz, deployment text, facts json)`,
    [JSON.stringify(measured)],
  );
  const { log } = createRecordingLog();
  const status = await readStatus(db, {
    nowMs: now,
    queue: { title: "QStash", inStore: false },
    probePairsPerDay: 0,
    log,
    rollUp: async () => void (await rollUp(db, systemClock, Infinity)),
  });
  expect(itemOf(status, "lost")).toMatchObject({
    count: 1,
    href: expect.stringMatching(/^\/dashboard\/deliveries\?outcome=lost&from=/),
  });
  expect(itemOf(status, "failing")).toMatchObject({ state: "attention", count: 3, href: "/dashboard/dead-letters" });
  expect(status.deployment).toMatchObject({
    last: { id: "after", deliveries: 1, handlerFailureRate: 1 },
    before: { id: "before", handlerFailureRate: 0 },
    sentence: expect.stringMatching(
      /^Since deployment after, .*: 100 % of the handlers’ calls failed \(before: 0\.0 %\); ack p95 is 40 ms \(before: 10 ms\)\.$/,
    ),
  });
});

test("without a store every count is unknown, and nothing rejects", async () => {
  const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/none");
  const { log } = createRecordingLog();
  const status = await readStatus(db, {
    nowMs,
    queue: { title: "QStash", inStore: false },
    probePairsPerDay: 0,
    log,
    rollUp: async () => {},
  });
  expect(status).toMatchObject({ status: "failing", deployment: null, metaHour: null, lastDeliveryAt: null });
  expect(status.items.filter(({ count }) => count !== null)).toEqual([]);
  await close();
});
