import type { ForwardOutcome, Runtime } from "#platform/delivery.ts";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";

import { sql } from "drizzle-orm";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createSignInLink } from "#dashboard/ops-session.ts";
import { openDatabase, type OpenDatabase } from "#store/database.ts";
import { saveRefusals } from "#store/save-refusals.ts";
import { deliveries } from "#store/delivery-schema.ts";
import { handlerAttempts } from "#store/event-schema.ts";
import { deadLetterGroups, deadLetters } from "#store/operations-schema.ts";

import { deliveryRow, eventRow, ingested, insertEvents, insertOpenEvent } from "../dashboard/rows.ts";
import { createMigratedDatabase, type TestDatabase } from "../support/postgres.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { executablePath, launchBrowser, openPage } from "./open-page.ts";

const opsToken = "a-token-for-the-browser-of-32-characters";
const sender = "60011223344";

let database: TestDatabase;
let store: OpenDatabase;
let server: TestServer;
let browser: Browser;

describe.skipIf(!existsSync(executablePath))("the dashboard in a browser", () => {
  beforeAll(async () => {
    database = await createMigratedDatabase();
    store = openDatabase(database.url);
    server = await startTestServer({
      env: (baseUrl) => ({
        INSTAGRAM_APP_SECRET: "app-secret",
        INSTAGRAM_VERIFY_TOKEN: "verify-token",
        QSTASH_TOKEN: "qstash-token",
        QSTASH_CURRENT_SIGNING_KEY: "sig_current",
        QSTASH_NEXT_SIGNING_KEY: "sig_next",
        RELAY_URL: baseUrl,
        RELAY_SECRET: "relay-secret-of-thirty-two-characters",
        DATABASE_URL: database.url,
        OPS_TOKEN: opsToken,
      }),
    });
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await server.stop();
    await store.close();
    await database.drop();
  });

  beforeEach(async () => {
    await store.db
      .execute(sql`truncate relay.deliveries, relay.events, relay.event_keys, relay.event_work, relay.handler_attempts,
      relay.dead_letters, relay.dead_letter_groups, relay.refusals, relay.measurements, relay.measurement_series,
      relay.figures`);
  });

  test("a sign-in link opens the dashboard, which shows an event and links to its delivery", async () => {
    await arrive("d_1", "edge");
    const page = await signedIn();
    expect(page.url()).toBe(`${server.baseUrl}/dashboard`);
    await page.getByRole("cell", { name: sender }).waitFor();
    await page.getByText("Undecided: no warm pairs were measured in this window.").waitFor();
    await page.getByRole("link", { name: /^[0-9a-f]{8}…[0-9a-f]{4}$/ }).click();
    await page.getByRole("heading", { name: "Delivery" }).waitFor();
    await page.getByText("committed to Postgres").waitFor();
    await page.getByText('"text": "hello"').waitFor();
  });

  test("an event that is retried shows its attempts, and what was given up shows by its cause", async () => {
    const receivedAt = new Date(Date.now() - 120_000);
    const row = { id: "d_1", receivedAt, ...ingested({ deliveredAt: receivedAt, handledAt: null }) };
    await store.db.insert(deliveries).values(deliveryRow(row));
    const event = eventRow({ key: "k", deliveryId: "d_1", ingestedAt: receivedAt });
    const failure = { errorName: "TypeError", errorCode: "CRM_DOWN" };
    const nextAttemptAt = new Date(Date.now() + 270_000);
    const eventId = await insertOpenEvent(store.db, event, {
      ...failure,
      attempts: 3,
      firstFailedAt: receivedAt,
      nextAttemptAt,
    });
    await store.db
      .insert(handlerAttempts)
      .values({ ...failure, eventId, at: receivedAt, ms: 12, attempt: 3, frames: ["saveContact (crm.ts)"] });
    const [group] = await store.db
      .insert(deadLetterGroups)
      .values({ fingerprint: "f", cause: "handler", ...failure, kind: "message", firstAt: receivedAt })
      .returning({ id: deadLetterGroups.id });
    await store.db
      .insert(deadLetters)
      .values([1, 2].map((sourceId) => ({ source: "handler", sourceId: `${sourceId}`, groupId: group?.id ?? 0 })));

    const page = await signedIn();
    await page.getByRole("row", { name: /handler · TypeError · CRM_DOWN message open 2 2/ }).waitFor();
    await page.getByText("retrying: TypeError").waitFor();
    await page.goto(`${server.baseUrl}/dashboard/deliveries/d_1`);
    await page.getByText("retry 3 of 8, next in 4 min").waitFor();
    await page.getByRole("cell", { name: "TypeError · CRM_DOWN" }).waitFor();
    await page.getByRole("cell", { name: "saveContact (crm.ts)" }).waitFor();
    expect(await page.getByRole("cell", { name: "0 handled, 1 failed" }).count()).toBe(1);
  });

  test("a banner says that events wait while maintenance does not run", async () => {
    const receivedAt = new Date(Date.now() - 120_000);
    await insertOpenEvent(store.db, eventRow({ key: "k", deliveryId: "d_1", ingestedAt: receivedAt }));
    const page = await signedIn();
    expect(await page.getByRole("alert").first().textContent()).toContain("Maintenance has never run");
  });

  test("without a session there is a sign-in page and no data, neither in the HTML nor in Next's payload", async () => {
    await arrive("d_1", "edge");
    const page = await open();
    for (const path of ["/dashboard", "/dashboard/deliveries/d_1"]) {
      await page.goto(server.baseUrl + path);
      await page.getByLabel("Token").waitFor();
      for (const headers of [{ accept: "text/html" }, { rsc: "1" }]) {
        const response = await fetch(server.baseUrl + path, { headers, redirect: "manual" });
        expect(await response.text()).not.toContain(sender);
      }
    }
    expect((await fetch(`${server.baseUrl}/api/ops/events`)).status).toBe(401);
  });

  test("without JavaScript a wrong token is refused and the right one opens the page that was asked for", async () => {
    await arrive("d_1", "edge");
    const page = await open({ javaScriptEnabled: false });
    await page.goto(`${server.baseUrl}/dashboard/deliveries/d_1`);
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
    expect(page.url()).toBe(`${server.baseUrl}/dashboard/deliveries/d_1`);
  });

  test("signing out ends the session, also for a copy of the cookie", async () => {
    const page = await signedIn();
    const [cookie] = await page.context().cookies();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
    expect(await page.context().cookies()).toEqual([]);
    const headers = { cookie: `${cookie?.name}=${cookie?.value}` };
    const copy = await fetch(`${server.baseUrl}/dashboard`, { headers, redirect: "manual" });
    expect([copy.status, copy.headers.get("location")]).toEqual([307, "/dashboard/sign-in?next=%2Fdashboard"]);
    await page.goto(`${server.baseUrl}/dashboard`);
    await page.getByLabel("Token").waitFor();
  });

  test("each page has a nonce of its own, and an injected script does not run", async () => {
    const page = await open();
    const nonces = new Set<string>();
    for (let load = 0; load < 2; load += 1) {
      const response = await page.goto(server.baseUrl);
      const policy = response?.headers()["content-security-policy"] ?? "";
      nonces.add(/script-src 'nonce-([^']+)' 'strict-dynamic'/.exec(policy)?.[1] ?? "");
      expect(policy).toContain("frame-ancestors 'none'");
    }
    expect(nonces.size).toBe(2);
    const bare = await browser.newPage();
    await bare.goto(server.baseUrl);
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
    const page = await signedIn();
    await page.getByText("npm run relay -- trigger message").waitFor();
    await page.evaluate(() => document.body.setAttribute("data-not-reloaded", ""));
    await arrive("d_1", "nodejs");
    await page.getByRole("cell", { name: sender }).waitFor({ timeout: 15_000 });
    expect(await page.locator("body[data-not-reloaded]").count()).toBe(1);
  });

  test("the automatic refresh can be paused", async () => {
    const page = await signedIn();
    const state = page.getByRole("status");
    await page.getByRole("button", { name: "Pause" }).click();
    expect(await state.textContent()).toBe("Paused");
    await page.getByRole("button", { name: "Resume" }).click();
    expect(await state.textContent()).toBe("Live");
  });

  test("a lost delivery is announced by a banner", async () => {
    await measureOutcome("lost");
    const page = await signedIn();
    expect(await page.getByRole("alert").first().textContent()).toContain("1 delivery lost");
    await measureOutcome("refused");
    await page.reload();
    expect(await page.getByRole("alert").nth(1).textContent()).toContain("1 delivery answered with 503");
  });

  test("while deliveries are refused the page says why, since when and what to do, instead of asking for a first one", async () => {
    const counts = { SIGNATURE_INVALID: 12, SIGNATURE_MISSING: 1 };
    await saveRefusals(store.db, { runtime: "edge", atMs: Date.now() - 60_000, counts }, Date.now());
    const page = await signedIn();
    const alert = await page.getByRole("alert").first().textContent();
    expect(alert).toMatch(/13 deliveries refused.*12 since .* UTC: .*INSTAGRAM_APP_SECRET/);
    expect(await page.getByText("No deliveries yet").count()).toBe(0);
    await page.getByRole("cell", { name: "SIGNATURE_INVALID" }).waitFor();
  });

  test("a link selects the time window", async () => {
    const page = await signedIn();
    await page.getByRole("link", { name: "the last 7 days" }).click();
    await page.getByText("received in the last 7 days").waitFor();
    expect(page.url()).toContain("window=7d");
  });

  test("the page is dark if the reader prefers that", async () => {
    const lightness = async (colorScheme: "light" | "dark") => {
      const page = await signedIn({ colorScheme });
      const color = await page.evaluate(() => {
        const shell = document.querySelector("header")?.parentElement ?? document.body;
        return getComputedStyle(shell).backgroundColor;
      });
      return Number(/\d+/.exec(color)?.[0]);
    };
    expect(await lightness("light")).toBeGreaterThan(200);
    expect(await lightness("dark")).toBeLessThan(60);
  });

  test("at 360 px only the boxes of tables scroll sideways", async () => {
    await arrive("d_1", "edge");
    const page = await signedIn({ viewport: { width: 360, height: 740 } });
    for (const path of [
      "/dashboard",
      "/dashboard/deliveries/d_1",
      "/dashboard/deliveries/unknown",
      "/dashboard/nothing",
      "/nothing",
      "/",
    ]) {
      await page.goto(server.baseUrl + path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      expect([path, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([path, 360]);
    }
  });
});

/** A delivery that went all the way with one event. */
async function arrive(deliveryId: string, runtime: Runtime): Promise<void> {
  const receivedAt = new Date();
  await store.db
    .insert(deliveries)
    .values(deliveryRow({ id: deliveryId, runtime, receivedAt, ...ingested({ deliveredAt: receivedAt }) }));
  await insertEvents(store.db, [eventRow({ key: deliveryId, deliveryId, ingestedAt: receivedAt, senderId: sender })]);
}

/** A delivery of which a report said how its forward ended. */
async function measureOutcome(outcome: ForwardOutcome): Promise<void> {
  const facts = {
    counts: [
      ["deliveries", 1],
      ["outcome", 1, outcome],
    ],
  };
  await store.db.execute(sql`
    insert into relay.measurements (at, runtime, probe, facts) values (now(), 'edge', false, ${JSON.stringify(facts)})
  `);
}

const open = (options?: BrowserContextOptions) => openPage(browser, options);

async function signedIn(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await open(options);
  await page.goto(await createSignInLink({ baseUrl: server.baseUrl, opsToken, nowMs: Date.now(), id: randomUUID() }));
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  return page;
}
