/** Who did what, who is signed in, and what is done with an event, in a browser. */
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";

import { sql } from "drizzle-orm";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { deliveries } from "#store/schema/delivery-schema.ts";

import { deliveryRow, eventRow, insertEvents } from "../dashboard/rows.ts";
import { findViolations } from "./find-violations.ts";
import { openDashboard, signInAs, type TestDashboard } from "./open-dashboard.ts";
import { executablePath, launchBrowser } from "./open-page.ts";

const bobsToken = "the-token-of-bob".padEnd(32, "-");
const hostile = `<script>alert(1)</script>\u202E\u0007${"x".repeat(300)}`;

let dashboard: TestDashboard;
let browser: Browser;
let eventId: number;

describe.skipIf(!existsSync(executablePath))("the audit and the actions in a browser", () => {
  beforeAll(async () => {
    dashboard = await openDashboard({
      OPS_TOKENS: `bob:read:${bobsToken}`,
      INSTAGRAM_APP_SECRET: "app-secret",
      INSTAGRAM_VERIFY_TOKEN: "verify-token",
      QSTASH_URL: "http://127.0.0.1:1",
      QSTASH_TOKEN: "qstash-token",
    });
    const { db } = dashboard.store;
    const receivedAt = new Date();
    await db.insert(deliveries).values(deliveryRow({ id: "d_1", receivedAt }));
    const row = eventRow({ key: "message:1:m_1", deliveryId: "d_1", ingestedAt: receivedAt });
    [eventId = 0] = await insertEvents(db, [row]);
    await db.execute(sql`
      insert into relay.audit (actor, via, address, action, target, filter, reason, result) values
        ('alice', 'page', '203.0.113.0/24', 'replay.start', 'rp_0190a5b2c3d4e5f60718293a4b5c6d7e', null, null, 'CONFLICT'),
        ('alice', 'command', '203.0.113.0/24', 'replay.plan', 'rp_0190a5b2c3d4e5f60718293a4b5c6d7e',
          '{"filter":{"kind":"comment","state":"dead"},"mode":"again"}', 'mended in dpl_123', 'ok'),
        ('ops', 'api', '2001:db8:0:0::/64', 'dead-letters.decide', '7', '{"state":"acknowledged"}', ${hostile}, 'started'),
        ('ops', 'page', '203.0.113.0/24', 'ingestion.pause', null, null, null, 'ok')`);
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await dashboard.close();
  });

  test("the audit shows hostile text as text, fits a small screen, and is narrowed down by its form", async () => {
    const page = await dashboard.open(browser, "/dashboard/audit", { viewport: { width: 320, height: 700 } });
    await page.getByText("<script>alert(1)</script>").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    expect(await findViolations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await findViolations(page)).toEqual([]);
    await page.getByLabel("Action", { exact: true }).selectOption("replay.plan");
    await page.getByRole("button", { name: "Show" }).click();
    await page.waitForURL(/action=replay\.plan$/);
    await page.getByText("1 change", { exact: true }).waitFor();
    const link = page.getByRole("link", { name: /^rp_/ });
    expect(await link.getAttribute("href")).toBe("/dashboard/replays/rp_0190a5b2c3d4e5f60718293a4b5c6d7e");
  }, 60_000);

  test("an event is sent again as a test after a question, and saved as a fixture", async () => {
    const page = await dashboard.open(browser, `/dashboard/events/${eventId}`);
    await page.getByLabel("Runtime", { exact: true }).selectOption("node");
    await page.getByRole("button", { name: "Send again as a test" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Send" }).click();
    const sent = page.getByRole("status").filter({ hasText: "Acknowledged in" });
    expect(await sent.getByRole("link").getAttribute("href")).toMatch(/^\/dashboard\/deliveries\/[\da-f-]{36}$/);
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "ids and texts masked" }).click();
    const saved = await download;
    expect(saved.suggestedFilename()).toBe(`event-${eventId}.json`);
    expect(await text(await saved.createReadStream())).not.toContain("hello");
  }, 60_000);

  test("a reader ends their own sessions and no other's, and is then signed out in every browser", async () => {
    const page = await openAsBob();
    const other = await openAsBob();
    expect(await page.getByRole("button", { name: "End sessions of ops" }).getAttribute("aria-disabled")).toBe("true");
    await page.getByText("bob", { exact: true }).first().click();
    await page.getByText("Signed in as bob, role read").waitFor();
    await page.getByRole("button", { name: "End all my sessions" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "End all my sessions" }).click();
    await page.waitForURL(/sign-in/);
    await other.reload();
    expect(new URL(other.url()).pathname).toBe("/dashboard/sign-in");
  }, 60_000);
});

/** With a session and a context of its own each time. */
const openAsBob = () => signInAs(bobsToken, dashboard.server.baseUrl)(browser, "/dashboard/audit");
