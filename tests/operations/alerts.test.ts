import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";

import { createAlertAddress } from "#operations/alerts/alert-address.ts";
import { encodeAlertMessage, createAlertMessage } from "#operations/alerts/alert-message.ts";
import { createAlertRuns } from "#operations/alerts/alert-runs.ts";
import { alertRules, findRule } from "#operations/alerts/alert-rules.ts";
import type { Alerting } from "#operations/alerts/alerting.ts";
import { decideAlert } from "#operations/alerts/decide-alert.ts";
import { type ChangedAlert, evaluateAlerts } from "#operations/alerts/evaluate-alerts.ts";
import { alertPurpose } from "#operations/alerts/post-alert.ts";
import { readAlertsStatus } from "#operations/alerts/read-alerts.ts";
import { runAlerts } from "#operations/alerts/run-alerts.ts";
import { sendNotices } from "#operations/alerts/send-notices.ts";
import { sendTest } from "#operations/alerts/send-test.ts";
import type { Condition } from "#operations/condition/condition.ts";
import { systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { verifyInternal } from "#platform/internal-signature.ts";
import { deliveries } from "#store/delivery-schema.ts";
import { recordPart } from "#store/maintenance-parts.ts";
import { type Database, openDatabase, type OpenDatabase } from "#store/database.ts";

import { deliveryRow } from "../dashboard/rows.ts";
import { eventually } from "../support/eventually.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { createMigratedDatabase } from "../support/postgres.ts";
import { type Rig, startRig } from "./rig.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const secret = "s".repeat(32);

/** Nothing is wrong, and everything is known. */
function wellAt(nowMs: number): Condition {
  const iso = new Date(nowMs).toISOString();
  const none = { count: 0, isCapped: false, since: null, last: null };
  return {
    asOf: iso,
    store: "ok",
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
    pause: { since: null, waiting: 0 },
    canary: { isExpected: true, sentAt: iso, arrivedAt: iso, missingOn: [], isOverdue: false },
    maintenance: { ranAt: iso, failed: [] },
    partitions: { defaults: [] },
    ack: { count: 100, p99Ms: 20, overOneSecond: 0 },
    silence: { lastDeliveryAt: iso, expected: 0, weeks: 4, verdict: "usual" },
  };
}

/** How each rule's facts look while it is to fire, `ms` after they began. */
const bad: Record<string, (nowMs: number, ms: number) => Partial<Condition>> = {
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
  paused: (nowMs, ms) => ({ pause: { since: iso(nowMs - 61 * minuteMs - ms), waiting: 3 } }),
  maintenance: (nowMs, ms) => ({ maintenance: { ranAt: iso(nowMs - 16 * minuteMs - ms), failed: [] } }),
  "partition-default": () => ({ partitions: { defaults: ["events_default"] } }),
};

const unknownFacts = { ...wellAt(0) } as Record<string, unknown>;
for (const name of Object.keys(unknownFacts)) if (name !== "asOf" && name !== "store") unknownFacts[name] = null;

/** One database for the tests of a group, each of which finds it empty. */
function openSharedStore(): () => OpenDatabase {
  let opened: OpenDatabase | undefined;
  beforeAll(async () => {
    const { url, drop } = await createMigratedDatabase();
    const store = openDatabase(url);
    opened = store;
    return async () => {
      await store.close();
      await drop();
    };
  });
  beforeEach(async () => {
    await opened?.pool.query("truncate relay.alerts, relay.alert_notices, relay.deliveries, relay.maintenance_parts");
  });
  return () => opened ?? expect.unreachable();
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Evaluates by a manual clock; `sent` are all changes so far, as `rule/scope change`. */
function createEvaluator(db: Database, clock: ManualClock) {
  const sent: string[] = [];
  return {
    sent,
    async evaluate(condition: Partial<Condition> = {}): Promise<ChangedAlert[]> {
      const options = { addresses: ["receiver"], nowMs: clock.nowMs(), newId: randomUUID };
      const { changes } = await evaluateAlerts(db, { ...wellAt(clock.nowMs()), ...condition }, options);
      for (const { rule, scope, change } of changes) sent.push(`${rule}/${scope} ${change}`);
      return changes;
    },
  };
}

describe("a rule", () => {
  const store = openSharedStore();

  test("of each name fires once its condition has held, is not changed by unknown facts, and is resolved once", async () => {
    const { db } = store();
    const clock = createManualClock(Date.parse("2026-11-25T22:00:00Z"));
    const { evaluate, sent } = createEvaluator(db, clock);
    expect(alertRules.map(({ name }) => name).toSorted()).toEqual(Object.keys(bad).toSorted());
    const all = (ms: number) =>
      Object.values(bad).reduce<Partial<Condition>>((facts, one) => {
        const { deadLetters, ...others } = one(clock.nowMs(), ms);
        // Two rules judge the same fact.
        const merged = { ...facts.deadLetters, ...deadLetters } as Condition["deadLetters"];
        if (merged !== null && facts.deadLetters) merged.newest = facts.deadLetters.newest;
        return { ...facts, ...others, ...(deadLetters ? { deadLetters: merged } : {}) };
      }, {});

    await evaluate();
    expect(sent).toEqual([]);
    await evaluate(all(0));
    await evaluate(all(0));
    const immediate = alertRules.filter(({ patience }) => patience.firesAfterMs === 0).map(({ name }) => name);
    expect(sent.map((one) => one.split("/")[0]).toSorted()).toEqual(immediate.toSorted());
    await clock.advance(5 * minuteMs);
    const later = await evaluate(all(5 * minuteMs));
    expect(sent.filter((one) => one.endsWith(" firing")).length).toBe(alertRules.length);
    expect(later.find(({ rule }) => rule === "handler-failing")).toMatchObject({
      scope: "message",
      value: 0.8,
      text: expect.stringContaining("40 of 50 calls failed (80 %), most with TypeError") as string,
    });

    sent.length = 0;
    for (let step = 0; step < 10; step += 1) {
      await clock.advance(5 * minuteMs);
      await evaluate(unknownFacts as Partial<Condition>);
    }
    expect(sent).toEqual([]);
    for (let step = 0; step < 4; step += 1) {
      await evaluate();
      await clock.advance(5 * minuteMs);
    }
    expect(sent.length).toBe(alertRules.length);
    expect(sent.every((one) => one.endsWith(" recovered"))).toBe(true);
  });

  test("that flaps is sent once", async () => {
    const { db } = store();
    const clock = createManualClock();
    const { evaluate, sent } = createEvaluator(db, clock);
    for (let step = 0; step < 24; step += 1) {
      const isBad = step % 2 === 0;
      await evaluate(isBad ? { ...bad["acks-withheld"]?.(clock.nowMs(), 0), publish: { state: "failing" } } : {});
      await clock.advance(5 * minuteMs);
    }
    expect(sent).toEqual(["acks-withheld/ firing"]);
  });

  test("of Meta's hour is sent at 15, 30 and 45 minutes, and again what was acknowledged before it became worse", async () => {
    const { db } = store();
    const clock = createManualClock();
    const startMs = clock.nowMs();
    const { evaluate, sent } = createEvaluator(db, clock);
    const hour = () => ({
      metaHour: {
        isRunning: true,
        since: iso(startMs),
        minutesLeft: 60 - Math.floor((clock.nowMs() - startMs) / minuteMs),
        share: 1,
      },
    });
    for (let step = 0; step < 12; step += 1) {
      const [change] = await evaluate(hour());
      if (change?.change === "firing") {
        await decideAlert(
          { action: "acknowledge", rule: "meta-hour", scope: "" },
          { db, clock, log: createRecordingLog().log, actor: "anna" },
        );
        expect(change.text).toBe("Deliveries have been refused for 15 min: 45 minutes are left.");
      }
      await clock.advance(5 * minuteMs);
    }
    expect(sent).toEqual(["meta-hour/ firing", "meta-hour/ worse", "meta-hour/ worse"]);
    await evaluate();
    await clock.advance(5 * minuteMs);
    const [recovered] = await evaluate();
    expect(recovered).toMatchObject({ change: "recovered", durationMs: 45 * minuteMs });
  });

  test("that nobody acknowledges or mutes is sent again once, after four hours", async () => {
    const { db } = store();
    const clock = createManualClock();
    const { log } = createRecordingLog();
    const { evaluate, sent } = createEvaluator(db, clock);
    const decide = { db, clock, log, actor: "anna" };
    const now = () => ({
      ...bad["paused"]?.(clock.nowMs(), 0),
      ...bad["oldest-open"]?.(clock.nowMs(), 0),
      ...bad["partition-default"]?.(clock.nowMs(), 0),
    });
    await evaluate(now());
    await decideAlert({ action: "acknowledge", rule: "oldest-open", scope: "" }, decide);
    const until = new Date(clock.nowMs() + 9 * hourMs);
    await decideAlert({ action: "mute", rule: "partition-default", scope: "", until }, decide);
    await decideAlert({ action: "mute", rule: "dead-letter-group", scope: "", until }, decide);
    sent.length = 0;
    for (let step = 0; step < 16; step += 1) {
      await clock.advance(30 * minuteMs);
      await evaluate({ ...now(), ...bad["dead-letter-group"]?.(clock.nowMs(), 0) });
    }
    expect(sent).toEqual(["paused/ reminder"]);
    // The end of the mute: one of the two was announced before it, over four hours ago.
    await clock.advance(2 * hourMs);
    await evaluate({ ...now(), ...bad["dead-letter-group"]?.(clock.nowMs(), 0) });
    expect(sent.slice(1).toSorted()).toEqual(["dead-letter-group/7 firing", "partition-default/ reminder"]);
    await expect(decideAlert({ action: "unmute", rule: "paused", scope: "" }, decide)).rejects.toThrow(
      "It is not muted",
    );
    await expect(decideAlert({ action: "acknowledge", rule: "lost", scope: "" }, decide)).rejects.toThrow(
      "does not fire",
    );
    await expect(decideAlert({ action: "unmute", rule: "none", scope: "" }, decide)).rejects.toThrow("no such rule");
    await expect(decideAlert({ action: "mute", rule: "lost", scope: "", until: new Date(0) }, decide)).rejects.toThrow(
      "future",
    );
  });

  test("is sent once by any number of evaluations at once, and at most once for each transition in any sequence", async () => {
    const { db, pool } = store();
    const clock = createManualClock();
    const { evaluate, sent } = createEvaluator(db, clock);
    await Promise.all(Array.from({ length: 5 }, () => evaluate(bad["paused"]?.(clock.nowMs(), 0))));
    expect(sent).toEqual(["paused/ firing"]);
    let seed = 20_261_126;
    const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    for (let step = 0; step < 120; step += 1) {
      const names = Object.keys(bad).filter(() => random() < 0.3);
      const facts = names.map((name) => bad[name]?.(clock.nowMs(), 0) ?? {});
      await evaluate(random() < 0.2 ? (unknownFacts as Partial<Condition>) : Object.assign({}, ...facts));
      await clock.advance(random() * 10 * minuteMs);
    }
    for (const key of new Set(sent.map((one) => one.split(" ")[0]))) {
      const steps = sent.flatMap((one) => (one.startsWith(`${key} `) ? [one.split(" ")[1]] : []));
      const turns = steps.filter((change) => change !== "reminder" && change !== "worse");
      // Firing and recovery take turns: none is sent twice.
      expect(turns).toEqual(turns.map((_, index) => (index % 2 === 0 ? "firing" : "recovered")));
    }
    const { rows } = await pool.query<{ changes: number }>(
      "select sum(json_array_length(changes))::int as changes from relay.alert_notices",
    );
    expect(rows[0]?.changes).toBe(sent.length);
  });
});

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** A receiver with one answer after another, the last one for ever; `null` is none at all. And what it got. */
async function startReceiver(...answers: (Answer | null)[]) {
  const received: { body: string; signature: string | null }[] = [];
  const server = createServer((incoming, outgoing) => {
    void text(incoming).then((body) => {
      received.push({ body, signature: String(incoming.headers["x-relay-signature"] ?? "") });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer) outgoing.writeHead(answer.status, answer.headers).end(answer.body ?? "ok");
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/hook/very-secret`, received };
}

describe("a notice", () => {
  const store = openSharedStore();

  const openAlerting = (db: Database, urls: string[], clock = systemClock): Alerting => ({
    db,
    addresses: urls.map(createAlertAddress),
    secret,
    relayUrl: "https://relay.example",
    publisher: { publish: () => Promise.reject(new Error("QStash is down")) },
    probePairsPerDay: 0,
    newId: randomUUID,
    fetch,
    clock,
    log: createRecordingLog().log,
  });

  test("is signed JSON that a receiver can verify, and is sent again until each receiver has it, and no longer", async () => {
    const { db, pool } = store();
    const good = await startReceiver({ status: 204 });
    const failing = await startReceiver({ status: 500, body: "no" });
    const moved = await startReceiver({ status: 302, headers: { location: good.url } });
    const large = await startReceiver({ status: 200, body: "x".repeat(10_000_000) });
    const gone = "http://127.0.0.1:1/gone";
    const alerting = openAlerting(db, [good.url, failing.url, moved.url, large.url, gone]);
    await recordPart(db, "pause", { since: iso(Date.now() - 2 * hourMs), waiting: 3 });
    await runAlerts(alerting);
    const results = async () => {
      const { rows } = await pool.query<{ state: string; attempts: number; result: string }>(
        "select state, attempts, result from relay.alert_notices order by result",
      );
      return rows;
    };
    expect(await results()).toEqual([
      { state: "sent", attempts: 1, result: "answered 200" },
      { state: "sent", attempts: 1, result: "answered 204" },
      { state: "pending", attempts: 1, result: "answered 500" },
      { state: "pending", attempts: 1, result: "could not be reached" },
      { state: "pending", attempts: 1, result: "redirects, which is not followed" },
    ]);

    const [first] = good.received;
    const bytes = new TextEncoder().encode(first?.body);
    expect(await verifyInternal(secret, alertPurpose, bytes, first?.signature ?? null, Date.now())).toBe(true);
    expect(
      await verifyInternal(secret, "POST /api/internal/reports", bytes, first?.signature ?? null, Date.now()),
    ).toBe(false);
    const message = JSON.parse(first?.body ?? "") as { changes: { rule: string }[] };
    expect(message).toMatchObject({
      version: 1,
      relay: "https://relay.example",
      text: expect.stringContaining("Ingestion is paused. Paused for 2 h") as string,
    });
    expect(message.changes.find(({ rule }) => rule === "paused")).toMatchObject({
      change: "firing",
      href: "https://relay.example/dashboard",
      alertHref: "https://relay.example/dashboard/alerts#paused",
    });

    expect(await sendNotices(alerting)).toEqual({ sent: 0, pending: 3, failed: 0 });
    await pool.query("update relay.alert_notices set attempts = 47 where state = 'pending'");
    expect(await sendNotices(openAlerting(db, [good.url, failing.url]))).toEqual({ sent: 0, pending: 0, failed: 3 });
    expect([good.received.length, failing.received.length]).toEqual([1, 3]);
    const status = await readAlertsStatus(db, {
      condition: wellAt(Date.now()),
      addresses: alerting.addresses,
      nowMs: Date.now(),
    });
    const paused = status.rules.find(({ rule }) => rule === "paused");
    expect(paused).toMatchObject({ state: "firing", severity: "warning", lastNotice: { results: { length: 5 } } });
    expect(JSON.stringify(status)).not.toContain("very-secret");
  });

  test("to a silent receiver ends in time, and a test tells what each receiver answered", async () => {
    const { db } = store();
    const clock = createManualClock();
    const [silent, good] = [await startReceiver(null), await startReceiver({ status: 200 })];
    const sending = sendTest(openAlerting(db, [silent.url, good.url], clock));
    await eventually("both have it", () => Promise.resolve(silent.received.length + good.received.length === 2));
    await eventually("the limit is set for one of them alone", () => Promise.resolve(clock.timersLeft() === 1));
    await clock.advance(5_000);
    expect((await sending).results).toMatchObject([
      { isSent: false, result: "no answer within 5 s" },
      { isSent: true, result: "answered 200", form: "json" },
    ]);
  });

  test("goes through QStash, whose retries reach a receiver that was down for a moment", async () => {
    const rig = await startRig();
    const callsOf = ({ calls }: Rig) => calls.filter(({ body }) => body.includes("alertNotice"));
    const receiver = await startReceiver({ status: 503 }, { status: 200 });
    const alerting = rig.alerting(receiver.url);
    await recordPart(rig.db, "partitions", { created: [], defaults: ["events_default"] });
    await rig.pool.query("update relay.maintenance_parts set ran_at = now()");
    await runAlerts(alerting);
    await eventually("QStash called twice", () => Promise.resolve(callsOf(rig).length === 2));
    expect(callsOf(rig).map(({ status }) => status)).toEqual([503, 200]);
    expect(callsOf(rig)[0]?.body).not.toContain("very-secret");
    expect(receiver.received.length).toBe(2);
    expect(receiver.received[0]?.body).toContain("Rows are in events_default.");
  });

  test("of a lost delivery is sent at once after its report, and one of absent maintenance after any report", async () => {
    const { db } = store();
    const receiver = await startReceiver({ status: 200 });
    const clock = createManualClock();
    const { log } = createRecordingLog();
    const open = () => openAlerting(db, [receiver.url], { ...systemClock, nowMs: clock.nowMs });
    const runs = createAlertRuns({ open, rollUp: () => Promise.resolve(), clock, log });
    await recordPart(db, "alerts", {});
    await runs.afterReports(["published"]);
    await db
      .insert(deliveries)
      .values(deliveryRow({ id: "gone", receivedAt: new Date(clock.nowMs()), outcome: "lost" }));
    await runs.afterReports(["lost"]);
    expect(receiver.received.length).toBe(1);
    expect(receiver.received[0]?.body).toContain("CRITICAL: Deliveries are lost. 1 delivery lost in 24 hours");
    await clock.advance(20 * minuteMs);
    await runs.afterReports(["published"]);
    expect(receiver.received.length).toBe(2);
    expect(receiver.received[1]?.body).toMatch(/Warning: Maintenance does not run\. It last ran (19|20) min ago\./);
    expect(receiver.received[1]?.body).toContain("Resolved: Deliveries are lost");
  });
});

describe("an address", () => {
  test("of Slack gets Slack's shape, with nothing that its markup could take for a link", () => {
    expect(createAlertAddress("https://hooks.slack.com/services/T/B/x")).toMatchObject({ form: "slack" });
    expect(createAlertAddress("https://hooks.slack-gov.com/services/T/B/x")).toMatchObject({ form: "slack" });
    const address = createAlertAddress("https://example.com/hooks.slack.com/secret");
    expect(address).toMatchObject({
      form: "json",
      label: expect.stringMatching(/^example\.com#[0-9a-f]{6}$/) as string,
    });
    const facts = wellAt(0);
    const hostile = "<script>&\u202Eevil\u0000\n" + "x".repeat(300);
    const failing = (bad["handler-failing"]?.(0, 0).failing ?? []).map((one) => ({
      ...one,
      error: hostile,
      kind: "message",
    }));
    const judged = findRule("handler-failing")?.judge({ ...facts, failing }, 0)?.scopes[0];
    const change: ChangedAlert = {
      rule: "handler-failing",
      scope: "message",
      change: "firing",
      level: 1,
      value: 1,
      text: judged?.text ?? "",
      since: null,
      durationMs: null,
    };
    const message = createAlertMessage([change], { id: "id", atMs: 0, relayUrl: "https://relay.example" });
    const { text: shown } = JSON.parse(encodeAlertMessage(message, "slack")) as { text: string };
    expect(shown).toContain("&lt;script&gt;&amp; evil x");
    expect(shown).not.toMatch(/[\u0000-\u001F\u202E]/);
    expect(shown.length).toBeLessThan(500);
    expect(shown).toContain("<https://relay.example/dashboard/handlers|Open>");
  });

  test("is https, or http on this machine", () => {
    const read = (value: string) => readEnv({ ALERT_WEBHOOK_URL: value }, ["ALERT_WEBHOOK_URL"]).ALERT_WEBHOOK_URL;
    expect(read("https://a.example/x, http://127.0.0.1:9/y,https://a.example/x")).toEqual([
      "https://a.example/x",
      "http://127.0.0.1:9/y",
    ]);
    expect(read("")).toEqual([]);
    for (const wrong of [
      "http://a.example",
      "ftp://a.example",
      "https://user:pw@a.example",
      "http://localhost.evil.example/",
      "https://a.example,,",
      "nothing",
    ]) {
      expect(() => read(wrong), wrong).toThrow("ALERT_WEBHOOK_URL is malformed");
    }
  });
});
