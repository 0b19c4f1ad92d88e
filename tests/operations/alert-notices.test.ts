import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

import { describe, expect, onTestFinished, test } from "vitest";

import { createAlertAddresses } from "#operations/alerts/alert-address.ts";
import { createAlertMessage, encodeAlertMessage } from "#operations/alerts/alert-message.ts";
import { findRule } from "#operations/alerts/alert-rules.ts";
import { createAlertRuns } from "#operations/alerts/alert-runs.ts";
import type { Alerting } from "#operations/alerts/alerting.ts";
import type { ChangedAlert } from "#operations/alerts/evaluate-alerts.ts";
import { alertPurpose } from "#operations/alerts/post-alert.ts";
import { readAlertsStatus } from "#operations/alerts/read-alerts.ts";
import { runAlerts } from "#operations/alerts/run-alerts.ts";
import { sendNotices } from "#operations/alerts/send-notices.ts";
import { sendTest } from "#operations/alerts/send-test.ts";
import { systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { verifyInternal } from "#platform/internal-signature.ts";
import type { Database } from "#store/connection/database.ts";
import { appendAudit } from "#store/operators/audit.ts";
import { recordPart } from "#store/operators/maintenance-parts.ts";
import { deliveries } from "#store/schema/delivery-schema.ts";

import { deliveryRow } from "../dashboard/rows.ts";
import { eventually } from "../support/eventually.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openSharedStore } from "../support/shared-store.ts";
import { bad, iso, wellAt } from "./alert-conditions.ts";
import { type Rig, startRig } from "./rig.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const secret = "s".repeat(32);

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
  const store = openSharedStore(
    "relay.alerts, relay.alert_notices, relay.deliveries, relay.maintenance_parts, relay.audit",
  );

  const openAlerting = (db: Database, urls: string[], clock = systemClock): Alerting => ({
    db,
    addresses: createAlertAddresses(urls),
    secret,
    relayUrl: "https://relay.example",
    publisher: { publish: () => Promise.reject(new Error("QStash is down")) },
    queue: { title: "QStash", inStore: false },
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

  test("as a test is sent ten times in a minute at most", async () => {
    const { db } = store();
    const receiver = await startReceiver({ status: 200 });
    const facts = { actor: "ops", via: "api", address: "unknown", action: "alerts.test" } as const;
    for (let row = 1; row <= 11; row += 1)
      await appendAudit(db, { ...facts, target: null, filter: null, reason: null });
    const sending = sendTest(openAlerting(db, [receiver.url], createManualClock()));
    await expect(sending).rejects.toMatchObject({ code: "RATE_LIMITED" });
    expect(receiver.received).toEqual([]);
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
    expect(createAlertAddresses(["https://hooks.slack.com/services/T/B/x"])[0]).toMatchObject({ form: "slack" });
    expect(createAlertAddresses(["https://hooks.slack-gov.com/services/T/B/x"])[0]).toMatchObject({ form: "slack" });
    const address = createAlertAddresses(["https://example.com/hooks.slack.com/secret"])[0];
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
    expect(shown).not.toMatch(/\p{C}/u);
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
