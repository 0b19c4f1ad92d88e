import { describe, expect, test } from "vitest";

import { type Condition } from "#operations/condition/condition.ts";
import { judgeMetaHour } from "#operations/condition/judge-meta-hour.ts";
import { judgeSilence } from "#operations/condition/judge-silence.ts";
import { readCondition } from "#operations/condition/read-condition.ts";
import { rollUp } from "#operations/roll-up.ts";
import { systemClock } from "#platform/clock.ts";
import { openReads } from "#store/connection/database.ts";
import { saveRefusals } from "#store/deliveries/save-refusals.ts";
import { recordPart } from "#store/operators/maintenance-parts.ts";
import { deliveries } from "#store/schema/delivery-schema.ts";

import { deliveryRow, eventRow, ingested, insertOpenEvent, unreported } from "../dashboard/rows.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore } from "../support/store.ts";

const nowMs = Date.parse("2026-11-25T22:00:00Z");
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const ago = (ms: number) => new Date(nowMs - ms);
const iso = (ms: number) => ago(ms).toISOString();

describe("the condition", () => {
  test("of a quiet relay counts nothing, and what nobody has measured is not known", async () => {
    const { db } = await openTestStore();
    const { log } = createRecordingLog();
    const none = { count: 0, isCapped: false };
    expect(
      await readCondition(db, { nowMs, queue: { title: "QStash", inStore: false }, probePairsPerDay: 384, log }),
    ).toMatchObject({
      asOf: "2026-11-25T22:00:00.000Z",
      store: "ok",
      storeFault: null,
      lost: { ...none, since: null, last: null },
      refused: { ...none, perMinute: 0, byReason: [] },
      metaHour: { isRunning: false, share: null },
      publish: null,
      open: { ...none, oldest: null },
      failing: [],
      deadLetters: { open: none, openGroups: 0, newest: [], expiring: { count: 0, withoutCopy: 0 } },
      pause: null,
      maintenance: { ranAt: null, expectedFrom: null, failed: [] },
      partitions: null,
      ack: { count: 0, p99Ms: null, overOneSecond: null },
      silence: { lastDeliveryAt: null, verdict: "unknown" },
    } satisfies { [Name in keyof Condition]?: unknown });
  });

  test("names what was lost, refused, stuck, failing and waiting, each since when", async () => {
    const { db, pool } = await openTestStore();
    const { log } = createRecordingLog();
    const rows = [
      deliveryRow({ id: "ok", receivedAt: ago(hourMs), ...ingested({ deliveredAt: ago(hourMs) }) }),
      deliveryRow({ id: "lost-1", receivedAt: ago(40 * minuteMs), outcome: "lost" }),
      deliveryRow({ id: "lost-2", receivedAt: ago(20 * minuteMs), outcome: "lost" }),
      // Its events are all here: only the answer to the forward was lost.
      deliveryRow({
        id: "found",
        receivedAt: ago(minuteMs),
        outcome: "lost",
        ...ingested({ deliveredAt: ago(minuteMs) }),
      }),
      deliveryRow({ id: "old", receivedAt: ago(30 * hourMs), outcome: "lost" }),
      deliveryRow({ id: "probe", receivedAt: ago(minuteMs), outcome: "lost", probe: true }),
      deliveryRow({ id: "waits", receivedAt: ago(5 * minuteMs) }),
      deliveryRow({ id: "comes", receivedAt: ago(1_000) }),
      deliveryRow({
        id: "unreported",
        receivedAt: ago(3 * minuteMs),
        ...unreported,
        ...ingested({ deliveredAt: ago(3 * minuteMs) }),
      }),
    ];
    await db.insert(deliveries).values(rows);
    const event = (key: string, ms: number) => eventRow({ key, deliveryId: "ok", ingestedAt: ago(ms) });
    await insertOpenEvent(db, event("stuck", 50 * minuteMs), { nextAttemptAt: ago(30 * minuteMs) });
    await insertOpenEvent(db, event("runs", 9 * minuteMs), {
      leasedUntil: ago(-10_000),
      nextAttemptAt: ago(9 * minuteMs),
    });
    await insertOpenEvent(db, event("retried", hourMs), {
      nextAttemptAt: ago(-2 * hourMs),
      firstFailedAt: ago(hourMs),
    });
    await insertOpenEvent(db, event("dead", 2 * hourMs), { state: "dead" });
    await saveRefusals(
      db,
      { runtime: "edge", atMs: nowMs - 2 * minuteMs, counts: { SIGNATURE_INVALID: 9, NOT_KEPT: 1 } },
      nowMs,
    );
    await recordPart(db, "pause", { since: iso(hourMs), waiting: 7 });
    // Of a queue that is no longer used: what it recorded last says nothing about now.
    await recordPart(db, "dead-letters", { cursor: null });
    await recordPart(db, "partitions", { created: [], defaults: ["deliveries_default", "events_default"] });
    await pool.query(
      `update relay.maintenance_parts set ran_at = case name when 'dead-letters' then $2::timestamptz else $1 end,
        error_name = case name when 'dead-letters' then 'QSTASH_UNAVAILABLE' end`,
      [iso(4 * minuteMs), iso(2 * hourMs)],
    );
    const group = (name: string, state: string) =>
      pool.query(
        `with g as (insert into relay.dead_letter_groups (fingerprint, cause, error_name, kind, first_at, state)
          values ($1, 'handler', $1, 'message', $2, $3) returning id)
        insert into relay.dead_letters (source, source_id, group_id, expires_at, body_whole) select 'qstash', $1, id, $4, false from g`,
        [name, iso(hourMs), state, iso(-20 * hourMs)],
      );
    await group("TypeError", "open");
    await group("RangeError", "ignored");
    await rollUp(db, systemClock, Infinity);

    const condition = await readCondition(db, {
      nowMs,
      queue: { title: "QStash", inStore: false },
      probePairsPerDay: 0,
      log,
    });
    expect(condition).toMatchObject({
      lost: { count: 2, since: iso(40 * minuteMs), last: iso(20 * minuteMs) },
      notIngested: { count: 1, since: iso(5 * minuteMs) },
      refused: {
        count: 10,
        byReason: [
          { reason: "SIGNATURE_INVALID", count: 9 },
          { reason: "NOT_KEPT", count: 1 },
        ],
      },
      acksWithheld: { count: 1, last: iso(2 * minuteMs) },
      metaHour: { isRunning: true, since: iso(2 * minuteMs), minutesLeft: 58, share: 1 },
      publish: { state: "ok" },
      open: { count: 3, oldest: iso(50 * minuteMs) },
      stuck: { count: 1, since: iso(30 * minuteMs) },
      retrying: { count: 1, nextAt: iso(-2 * hourMs) },
      deadLetters: {
        open: { count: 2 },
        openGroups: 1,
        newest: [{ cause: "handler", errorName: "TypeError", at: iso(hourMs), isRegression: false }],
        expiring: { count: 1, withoutCopy: 1, first: iso(-20 * hourMs) },
      },
      pause: { since: iso(hourMs), waiting: 7 },
      canary: { isExpected: false },
      maintenance: { ranAt: iso(4 * minuteMs), expectedFrom: iso(4 * minuteMs), failed: [] },
      partitions: { defaults: ["events_default"] },
    });
  });

  test("names the handler that fails, since when and since which deployment", async () => {
    const { db, pool } = await openTestStore();
    const { log } = createRecordingLog();
    const call = (ms: number, kind: string, error: string | null, deployment: string, count = 1) =>
      pool.query(
        "insert into relay.measurements (at, runtime, deployment, cold, probe, facts) values ($1, 'nodejs', $2, false, false, $3)",
        [
          iso(ms),
          deployment,
          JSON.stringify({
            times: [["handler", 5, count, kind]],
            counts: error === null ? [] : [["handlerFailure", count, error, kind]],
          }),
        ],
      );
    await call(20 * hourMs, "comment", "TypeError", "dpl_1");
    await call(5 * hourMs, "message", null, "dpl_1");
    await call(20 * hourMs, "message", "RangeError", "dpl_1");
    await call(40 * minuteMs, "message", null, "dpl_2");
    await call(10 * minuteMs, "message", "RangeError", "dpl_2", 40);
    await call(9 * minuteMs, "message", null, "dpl_2", 10);
    await call(8 * minuteMs, "reaction", null, "dpl_2", 10);
    await rollUp(db, systemClock, Infinity);
    const { failing, ack } = await readCondition(db, {
      nowMs,
      queue: { title: "QStash", inStore: false },
      probePairsPerDay: 0,
      log,
    });
    expect(failing).toEqual([
      {
        kind: "message",
        error: "RangeError",
        runs: 50,
        failed: 40,
        rate: 0.8,
        since: iso(10 * minuteMs),
        lastFailedAt: iso(10 * minuteMs),
        succeededSince: 10,
        deployment: "dpl_2",
        deployedAt: iso(40 * minuteMs),
      },
    ]);
    expect(ack).toEqual({ count: 0, p99Ms: null, overOneSecond: null });
  });

  test("is down, and knows nothing, without a database", async () => {
    const { db, close } = openReads("postgres://nobody@127.0.0.1:1/none");
    const { log, of } = createRecordingLog();
    const condition = await readCondition(db, {
      nowMs,
      queue: { title: "QStash", inStore: false },
      probePairsPerDay: 384,
      log,
    });
    expect(condition).toMatchObject({ store: "down", lost: null, open: null, maintenance: null });
    expect(of("condition.part_failed").length).toBeGreaterThan(0);
    await close();
  });
});

describe("Meta's hour", () => {
  const minute = (ms: number, refused: number, acked: number) => ({ atMs: nowMs - ms * minuteMs, refused, acked });

  test("begins with the first minute since which at least half is refused, and ends with the first good one", () => {
    const failing = [minute(25, 0, 9), minute(20, 5, 5), minute(10, 2, 0), minute(1, 1, 0)];
    expect(judgeMetaHour(failing, nowMs)).toMatchObject({
      isRunning: true,
      since: iso(20 * minuteMs),
      minutesLeft: 40,
    });
    expect(judgeMetaHour([...failing, minute(0, 1, 9)], nowMs)).toMatchObject({ isRunning: false, minutesLeft: null });
    expect(judgeMetaHour([minute(30, 9, 0)], nowMs)).toMatchObject({ isRunning: false, share: null });
    expect(judgeMetaHour([minute(90, 9, 0), minute(2, 1, 0)], nowMs)).toMatchObject({
      isRunning: true,
      minutesLeft: 0,
    });
    expect(judgeMetaHour([], nowMs)).toMatchObject({ isRunning: false, share: null });
  });
});

describe("silence", () => {
  const weeks = (count: number, perHour: number) =>
    new Map(Array.from({ length: count * 7 * 24 + 24 }, (_, hour) => [nowMs - (hour + 1) * hourMs, perHour] as const));

  test("is unusual where 18 deliveries were usual, and is not judged with too few", () => {
    const judge = (lastMs: number, perHour: number, count = 4) =>
      judgeSilence({ lastDeliveryMs: nowMs - lastMs, hours: weeks(count, perHour), nowMs });
    expect(judge(2 * hourMs, 10)).toMatchObject({ verdict: "silent", expected: 20, weeks: 4 });
    expect(judge(1.5 * hourMs, 10)).toMatchObject({ verdict: "usual", expected: 15 });
    expect(judge(20 * hourMs, 0.5)).toMatchObject({ verdict: "unknown" });
    expect(judge(20 * hourMs, 10, 2)).toMatchObject({ verdict: "unknown", weeks: 2 });
    expect(judgeSilence({ lastDeliveryMs: null, hours: new Map(), nowMs })).toMatchObject({ verdict: "unknown" });
  });
});
