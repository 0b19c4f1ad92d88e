import type { Runtime } from "#platform/delivery.ts";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";

import { sql } from "drizzle-orm";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createSignInLink } from "#dashboard/access/ops-session.ts";
import { saveRefusals } from "#store/deliveries/save-refusals.ts";
import { deliveryUuid } from "#store/ingest/delivery-uuid.ts";
import { deliveries } from "#store/schema/delivery-schema.ts";

import { deliveryRow, eventRow, ingested, insertEvents } from "../dashboard/rows.ts";
import { eventually } from "../support/eventually.ts";
import { openDashboard, opsToken, type TestDashboard } from "./open-dashboard.ts";
import { executablePath, launchBrowser, openPage } from "./open-page.ts";

const sender = "60011223344";

let dashboard: TestDashboard;
let browser: Browser;

describe.skipIf(!existsSync(executablePath))("the dashboard in a browser", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    dashboard = await openDashboard({
      INSTAGRAM_APP_SECRET: "app-secret",
      INSTAGRAM_VERIFY_TOKEN: "verify-token",
      QSTASH_TOKEN: "qstash-token",
      QSTASH_CURRENT_SIGNING_KEY: "sig_current",
      QSTASH_NEXT_SIGNING_KEY: "sig_next",
    });
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await dashboard.close();
  });

  beforeEach(async () => {
    await dashboard.store.db
      .execute(sql`truncate relay.deliveries, relay.events, relay.event_keys, relay.event_work, relay.handler_attempts,
      relay.dead_letters, relay.dead_letter_groups, relay.refusals, relay.measurements, relay.measurement_series,
      relay.figures`);
  });

  test("a sign-in link opens the status, and the find box leads to whatever has an id", async () => {
    await arrive("d_1", "edge");
    const page = await signedIn();
    expect(page.url()).toBe(`${dashboard.server.baseUrl}/dashboard`);
    await page.getByText("Nothing is lost, stuck or failing.").waitFor();
    await page.getByRole("searchbox", { name: "Find by id" }).fill(deliveryUuid("d_1"));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Delivery" }).waitFor();
    await page.getByText("committed to Postgres").waitFor();
    await page.getByRole("searchbox", { name: "Find by id" }).fill("d_of-another-relay");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Find", exact: true }).waitFor();
    await page.getByRole("link", { name: "Search the text of events for it" }).waitFor();
  });

  test("without a session there is a sign-in page and no data, neither in the HTML nor in Next's payload", async () => {
    await arrive("d_1", "edge");
    const page = await open();
    for (const path of ["/dashboard", "/dashboard/deliveries/d_1"]) {
      await page.goto(dashboard.server.baseUrl + path);
      await page.getByLabel("Token").waitFor();
      for (const headers of [{ accept: "text/html" }, { rsc: "1" }]) {
        const response = await fetch(dashboard.server.baseUrl + path, { headers, redirect: "manual" });
        expect(await response.text()).not.toContain(sender);
      }
    }
    expect((await fetch(`${dashboard.server.baseUrl}/api/ops/events`)).status).toBe(401);
  });

  test("without JavaScript a wrong token is refused and the right one opens the page that was asked for", async () => {
    await arrive("d_1", "edge");
    const page = await open({ javaScriptEnabled: false });
    await page.goto(`${dashboard.server.baseUrl}/dashboard/deliveries/d_1`);
    const enter = async (token: string) => {
      await page.getByLabel("Token").fill(token);
      const answer = page.waitForResponse((response) => response.request().method() === "POST");
      await page.getByRole("button", { name: "Sign in" }).click();
      return (await answer).status();
    };
    expect(await enter("wrong")).toBe(401);
    await page.getByRole("alert").waitFor();
    expect(await enter(opsToken)).toBe(303);
    await page.getByRole("heading", { name: "Delivery" }).waitFor();
    expect(page.url()).toBe(`${dashboard.server.baseUrl}/dashboard/deliveries/d_1`);
  });

  test("signing out ends the session, also for a copy of the cookie", async () => {
    const page = await signedIn();
    const [cookie] = await page.context().cookies();
    await page.locator("summary", { hasText: "ops" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
    expect(await page.context().cookies()).toEqual([]);
    const headers = { cookie: `${cookie?.name}=${cookie?.value}` };
    const copy = await fetch(`${dashboard.server.baseUrl}/dashboard`, { headers, redirect: "manual" });
    expect([copy.status, copy.headers.get("location")]).toEqual([307, "/dashboard/sign-in?next=%2Fdashboard"]);
    await page.goto(`${dashboard.server.baseUrl}/dashboard`);
    await page.getByLabel("Token").waitFor();
  });

  test("each page has a nonce of its own, and an injected script does not run", async () => {
    const page = await open();
    const nonces = new Set<string>();
    for (let load = 0; load < 2; load += 1) {
      const response = await page.goto(dashboard.server.baseUrl);
      const policy = response?.headers()["content-security-policy"] ?? "";
      nonces.add(/script-src 'nonce-([^']+)' 'strict-dynamic'/.exec(policy)?.[1] ?? "");
      expect(policy).toContain("frame-ancestors 'none'");
    }
    expect(nonces.size).toBe(2);
    const bare = await browser.newPage();
    await bare.goto(dashboard.server.baseUrl);
    const blocked = await bare.evaluate(
      () =>
        new Promise<string>((resolve) => {
          document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => resolve(effectiveDirective));
          document.body.insertAdjacentHTML("beforeend", '<img src="data:," onerror="document.title = 1">');
        }),
    );
    expect([blocked, await bare.title()]).toEqual(["script-src-attr", "Instagram Webhook Relay"]);
    await bare.close();
  });

  test("before the first delivery the page says how to send one, and then shows it without a reload", async () => {
    const page = await dashboard.open(browser, "/dashboard");
    await page.getByText("npm run relay -- trigger message").waitFor();
    await page.evaluate(() => document.body.setAttribute("data-not-reloaded", ""));
    await arrive("d_1", "nodejs");
    await page.getByText(/The last delivery arrived at/).waitFor({ timeout: 15_000 });
    expect(await page.locator("body[data-not-reloaded]").count()).toBe(1);
  });

  test("while deliveries are refused the page says why, since when and what to do, instead of asking for a first one", async () => {
    const counts = { SIGNATURE_INVALID: 12, SIGNATURE_MISSING: 1 };
    await saveRefusals(dashboard.store.db, { runtime: "edge", atMs: Date.now() - 60_000, counts }, Date.now());
    const page = await dashboard.open(browser, "/dashboard");
    await page.getByText(/13 deliveries were refused in the last hour, since .* UTC: .*INSTAGRAM_APP_SECRET/).waitFor();
    expect(await page.getByText("No deliveries yet").count()).toBe(0);
    await page.getByRole("link", { name: "Refused: 13 deliveries, 1 h" }).click();
    await page.getByRole("cell", { name: "SIGNATURE_INVALID" }).waitFor();
  });

  test("a link selects the window of the traffic, and a choice in the account menu the zone of all times", async () => {
    await arrive("d_1", "edge");
    const page = await signedIn({ timezoneId: "Asia/Tokyo" });
    await page.getByRole("link", { name: "the last 7 days" }).click();
    await page.getByText("Deliveries in the last 7 days").first().waitFor();
    await page.locator("summary", { hasText: "ops" }).click();
    await page.getByText("Signed in as ops, role admin").waitFor();
    await page.getByRole("button", { name: "Asia/Tokyo" }).click();
    await page.getByText(/The last delivery arrived at \d\d:\d\d UTC\+9/).waitFor();
    expect(page.url()).toContain("window=7d");
  });

  test("the page is dark if the reader prefers that", async () => {
    const page = await dashboard.open(browser, "/dashboard", { colorScheme: "dark" });
    const lightness = async () => {
      const color = await page.evaluate(() => {
        const shell = document.querySelector("header")?.parentElement ?? document.body;
        return getComputedStyle(shell).backgroundColor;
      });
      return Number(/\d+/.exec(color)?.[0]);
    };
    expect(await lightness()).toBeLessThan(60);
    await page.emulateMedia({ colorScheme: "light" });
    await eventually("the page is light", async () => (await lightness()) > 200);
  });
});

/** A delivery that went all the way with one event. */
async function arrive(deliveryId: string, runtime: Runtime): Promise<void> {
  const receivedAt = new Date();
  await dashboard.store.db
    .insert(deliveries)
    .values(deliveryRow({ id: deliveryId, runtime, receivedAt, ...ingested({ deliveredAt: receivedAt }) }));
  await insertEvents(dashboard.store.db, [
    eventRow({ key: deliveryId, deliveryId, ingestedAt: receivedAt, senderId: sender }),
  ]);
}

const open = (options?: BrowserContextOptions) => openPage(browser, options);

async function signedIn(options: BrowserContextOptions = {}): Promise<Page> {
  const { baseUrl } = dashboard.server;
  const page = await open(options);
  await page.goto(await createSignInLink({ baseUrl, opsToken, nowMs: Date.now(), id: randomUUID() }));
  await page.getByRole("heading", { name: "Status", exact: true }).waitFor();
  return page;
}
