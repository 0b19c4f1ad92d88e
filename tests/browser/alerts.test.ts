import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { recordPart } from "#store/operators/maintenance-parts.ts";

import { openDashboard, type TestDashboard } from "./open-dashboard.ts";
import { executablePath, launchBrowser } from "./open-page.ts";

const hourMs = 60 * 60_000;
const readToken = "the-token-of-bob-who-may-only-read";
const cronSecret = "the-secret-of-the-cron-job";
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe.skipIf(!existsSync(executablePath))("the page of alerts", () => {
  let dashboard: TestDashboard;
  let browser: Browser;
  const received: string[] = [];
  const receiver = createServer((incoming, outgoing) => {
    void text(incoming).then((body) => {
      received.push(body);
      outgoing.writeHead(incoming.url === "/bad" ? 500 : 200).end();
    });
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      receiver.listen(0, "127.0.0.1", resolve);
    });
    const address = receiver.address();
    const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    dashboard = await openDashboard({
      ALERT_WEBHOOK_URL: `${url}/good-and-secret,${url}/bad`,
      CRON_SECRET: cronSecret,
      OPS_TOKENS: `bob:read:${readToken}`,
      PROBE_PAIRS_PER_DAY: "0",
      // Nothing answers there: messages are then posted from here.
      QSTASH_URL: "http://127.0.0.1:1",
      QSTASH_TOKEN: "token",
    });
    browser = await launchBrowser();
    return async () => {
      receiver.closeAllConnections();
      receiver.close();
    };
  });

  afterAll(async () => {
    await browser.close();
    await dashboard.close();
  });

  test("shows what fires, sends a test, and takes decisions, which the audit has", async () => {
    const { store, server } = dashboard;
    const ask = (path: string, init: RequestInit) => fetch(`${server.baseUrl}/api/${path}`, init);
    await store.pool.query(
      `insert into relay.dead_letter_groups (fingerprint, cause, error_name, kind, first_at) values
        ('a', 'handler', $1, 'message', now()), ('b', 'qstash', 'HTTP 503', null, now())`,
      [`<script>alert(1)</script>\u202E${"x".repeat(300)}`],
    );
    await recordPart(store.db, "pause", { since: new Date(Date.now() - 2 * hourMs).toISOString(), waiting: 12 });
    expect((await ask("cron/maintenance", { headers: bearer(cronSecret) })).status).toBe(200);
    expect(received.length).toBe(2);
    expect(received[0]).not.toContain("<script>alert(1)</script>\u202E");

    const page = await dashboard.open(browser, "/dashboard/alerts#paused");
    await page.getByRole("heading", { name: "Firing: 3" }).waitFor();
    const paused = page.getByRole("article", { name: "Ingestion is paused" });
    await paused.getByText("Paused for 2 h; 12 batches wait at QStash.").waitFor();
    await paused.getByText(/pending at 127\.0\.0\.1:\d+#[0-9a-f]{6}: answered 500/).waitFor();
    expect(await page.content()).not.toContain("good-and-secret");

    await page.getByRole("button", { name: "Send a test" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText(/: sent, answered 200/).waitFor();
    await page.getByText(/: not sent, answered 500/).waitFor();
    await paused.getByRole("button", { name: "Acknowledge: Ingestion is paused" }).click();
    await paused.getByText("Acknowledged by ops").waitFor();
    await paused.getByLabel("How long to mute").selectOption("8 hours");
    await paused.getByRole("button", { name: "Mute: Ingestion is paused" }).click();
    await paused.getByText("Muted by ops until").waitFor();
    await paused.getByRole("button", { name: "Unmute: Ingestion is paused" }).click();
    await paused.getByRole("button", { name: "Mute: Ingestion is paused", exact: true }).waitFor();
    await page.setViewportSize({ width: 320, height: 700 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);

    const { rows } = await store.pool.query<{ action: string; target: string | null; result: string }>(
      "select action, target, result from relay.audit where action like 'alerts.%' order by id",
    );
    expect(rows).toEqual([
      { action: "alerts.test", target: null, result: "ok" },
      ...["acknowledge", "mute", "unmute"].map((name) => ({
        action: `alerts.${name}`,
        target: "paused",
        result: "ok",
      })),
    ]);

    const post = (path: string, body: unknown, token = readToken) =>
      ask(`ops/alerts/${path}`, { method: "POST", headers: bearer(token), body: JSON.stringify(body) });
    const admin = "a-token-for-the-browser-of-32-characters";
    for (const [path, body, token, status] of [
      ["paused/mute", { until: "2026-01-01T00:00:00Z" }, readToken, 403],
      ["paused/mute", { until: "2026-01-01T00:00:00Z" }, admin, 400],
      ["paused/mute", { until: "soon" }, admin, 400],
      ["paused/mute", { until: "2099-01-01T00:00:00Z", all: true }, admin, 400],
      ["lost/acknowledge", {}, admin, 409],
      ["lost/unmute", {}, admin, 409],
      ["nothing/acknowledge", {}, admin, 404],
    ] as const) {
      expect([path, body, (await post(path, body, token)).status]).toEqual([path, body, status]);
    }
    const { rules } = (await (await ask("ops/alerts", { headers: bearer(readToken) })).json()) as {
      rules: { rule: string; state: string; scopes: { scope: string; href: string }[] }[];
    };
    expect(rules.find(({ rule }) => rule === "paused")).toMatchObject({ state: "acknowledged", level: 1 });
    expect(rules.find(({ rule }) => rule === "dead-letter-group")?.scopes).toMatchObject([
      { state: "firing", href: "/dashboard/dead-letters/2" },
      { state: "firing", href: "/dashboard/dead-letters/1" },
    ]);
    expect((await ask("ops/alerts?rule=lost", { headers: bearer(readToken) })).status).toBe(400);
    const metrics = await (await ask("metrics", { headers: bearer(readToken) })).text();
    expect(metrics).toContain('relay_alerts_firing{rule="dead-letter-group"} 2');
    expect(metrics).toContain('relay_alerts_firing{rule="lost"} 0');
  }, 60_000);
});
