import { expect, test } from "vitest";

import { describeStatus } from "#dashboard/status/describe-status.ts";
import { readStatus } from "#dashboard/status/read-status.ts";
import type { ItemName, Status } from "#dashboard/status/status.ts";
import { whenIn } from "#dashboard/status/status-words.ts";
import type { Condition, Happened } from "#operations/condition/condition.ts";
import { rollUp } from "#operations/roll-up.ts";
import { systemClock } from "#platform/clock.ts";
import { openDatabase } from "#store/database.ts";
import { deliveries } from "#store/delivery-schema.ts";
import { deadLetterGroups, deadLetters } from "#store/operations-schema.ts";

import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore } from "../support/store.ts";
import { deliveryRow, eventRow, insertOpenEvent } from "./rows.ts";

const nowMs = Date.parse("2026-01-31T12:00:00.000Z");
const ago = (minutes: number) => new Date(nowMs - minutes * 60_000).toISOString();
const never: Happened = { count: 0, isCapped: false, since: null, last: null };
const none = { count: 0, isCapped: false };

/** A relay that is well. */
const well: Condition = {
  asOf: new Date(nowMs).toISOString(),
  store: "ok",
  lost: never,
  refused: { ...never, perMinute: 0, byReason: [] },
  metaHour: { isRunning: false, since: null, minutesLeft: null, share: 0 },
  acksWithheld: never,
  publish: { state: "ok" },
  open: { ...none, oldest: null },
  stuck: { ...none, since: null },
  failing: [],
  retrying: { ...none, nextAt: null },
  notIngested: never,
  deadLetters: { open: none, openGroups: 0, newest: [], expiring: { count: 0, withoutCopy: 0, first: null } },
  pause: { since: null, waiting: null },
  canary: { isExpected: true, sentAt: ago(20), arrivedAt: ago(20), missingOn: [], isOverdue: false },
  maintenance: { ranAt: ago(3), failed: [] },
  partitions: { defaults: [] },
  ack: { count: 100, p99Ms: 12, overOneSecond: 0 },
  silence: { lastDeliveryAt: ago(1), expected: 0, weeks: 0, verdict: "unknown" },
};
const describe = (facts: Partial<Condition>, zone = "UTC", { lostInMonth = 0, refusedInDay = 0 } = {}) =>
  describeStatus({ condition: { ...well, ...facts }, lostInMonth, refusedInDay, when: whenIn(zone, nowMs) });
const itemOf = ({ items }: Pick<Status, "items">, name: ItemName) => items.find((item) => item.name === name);
const failing = { kind: "comment", error: "CrmError", runs: 31, failed: 29, rate: 29 / 31, since: ago(586) };
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
    "Nothing is lost. The handler of comment fails since 02:14 UTC, since deployment abc: CrmError in 29 of 31 calls in 15 minutes.",
  ],
  [
    "a wrong secret, while Meta's hour runs",
    {
      refused: { ...wrongSecret, perMinute: 1, byReason: [{ reason: "SIGNATURE_INVALID", ...wrongSecret }] },
      metaHour: { isRunning: true, since: ago(20), minutesLeft: 40, share: 1 },
    },
    "failing",
    /^Nothing is lost\. Meta’s hour runs since 11:40 UTC: in 40 minutes .* 12 deliveries were refused in the last hour, since 11:40 UTC: /,
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
    /^Nothing is lost\. Meta’s hour runs since 11:40 UTC: .* QStash does not accept what the relay publishes\. 5 events are due since 11:40/,
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
    { ...Object.fromEntries(Object.keys(well).map((name) => [name, null])), asOf: well.asOf, store: "down" },
    "failing",
    /^Postgres does not answer\./,
  ],
  [
    "a pause",
    { pause: { since: ago(60), waiting: 7 }, notIngested: { ...never, count: 7, since: ago(60) } },
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
  const status = await readStatus(db, { nowMs, probePairsPerDay: 0, log, rollUp: async () => {} });
  expect(status).toMatchObject({ status: "failing", deployment: null, metaHour: null, lastDeliveryAt: null });
  expect(status.items.filter(({ count }) => count !== null)).toEqual([]);
  await close();
});
