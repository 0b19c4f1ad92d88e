/** What the lists and the pages of one event, one delivery and the diagnostics show, on one server. */
import { existsSync } from "node:fs";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { deliveries } from "#store/schema/delivery-schema.ts";
import { handlerAttempts } from "#store/schema/event-schema.ts";
import { driftFindings } from "#store/schema/figures-schema.ts";
import { probePairs } from "#store/schema/measurements-schema.ts";

import { deliveryRow, eventRow, ingested, insertEvents, insertOpenEvent } from "../dashboard/rows.ts";
import { openDashboard, signInAs, type TestDashboard } from "./open-dashboard.ts";
import { executablePath, launchBrowser } from "./open-page.ts";
import { loadDay } from "./simulated-day.ts";

const readToken = "a-token-for-a-reader-of-32-characters";
const payload = '{"from":{"id":6001},"text":"not for lists","id":"17841400000000001234","list":[1.0, 2]}';

let dashboard: TestDashboard;
let browser: Browser;
let eventId = 0;

describe.skipIf(!existsSync(executablePath))("the lists in a browser", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    dashboard = await openDashboard({
      OPS_TOKENS: `rita:read:${readToken}`,
      INSTAGRAM_APP_SECRET: "app-secret",
      INSTAGRAM_VERIFY_TOKEN: "verify-token",
      // Nothing listens there.
      QSTASH_URL: "http://127.0.0.1:9",
      QSTASH_TOKEN: "qstash-token",
      QSTASH_CURRENT_SIGNING_KEY: "sig_current",
      QSTASH_NEXT_SIGNING_KEY: "sig_next",
    });
    browser = await launchBrowser();
    eventId = await failComment(dashboard);
  });

  afterAll(async () => {
    await browser.close();
    await dashboard.close();
  });

  test("without script a list is narrowed down by its form, and each condition can be removed", async () => {
    const page = await dashboard.open(browser, "/dashboard/events", { javaScriptEnabled: false });
    await page.getByLabel("Kind").selectOption("comment");
    await page.getByLabel("Ingested from (UTC)").fill("2026-01-31T14:03");
    await page.getByLabel("Ingested in").selectOption("24h");
    await page.getByRole("button", { name: "Show" }).click();
    const { searchParams } = new URL(page.url());
    expect([...searchParams.keys()].toSorted()).toEqual(["from", "kind"]);
    expect(Date.now() - Date.parse(searchParams.get("from") ?? "")).toBeLessThan(25 * 3_600_000);
    await page
      .getByRole("row", { name: /comment drifted retry 3 of 8, next in \d min · TypeError · CRM_DOWN/ })
      .waitFor();
    expect(await page.content()).not.toContain("not for lists");
    expect(await page.getByRole("link", { name: "Replay these…" }).getAttribute("href")).toContain("kind=comment");
    await page.getByRole("link", { name: "Remove the condition Kind comment" }).click();
    expect([...new URL(page.url()).searchParams.keys()]).toEqual(["from"]);
    await page.goto(`${dashboard.server.baseUrl}/dashboard/events?nonsense=1`);
    await page.getByText("nonsense is no parameter of this").waitFor();
  });

  test("the total follows the rows, and what was found leads to the event", async () => {
    const page = await dashboard.open(browser, "/dashboard/events");
    await page.getByText("2 events", { exact: true }).waitFor();
    await page
      .getByRole("row", { name: /TypeError/ })
      .getByRole("rowheader")
      .getByRole("link")
      .click();
    await page.getByRole("heading", { level: 1, name: `Event ${eventId}` }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/dashboard/events/${eventId}`);
  });

  test("an event's page shows its whole way, why it failed, how it differs, and what Meta sent", async () => {
    const page = await dashboard.open(browser, `/dashboard/events/${eventId}`, { javaScriptEnabled: false });
    await page.getByText("committed to Postgres").waitFor();
    await page
      .getByText(/^retry 3 of 8, next in \d min/)
      .first()
      .waitFor();
    await page.getByRole("row", { name: /3 retry TypeError · CRM_DOWN · the shop did not answer/ }).waitFor();
    await page.getByText("handleComment (handlers/handlers.ts)").first().waitFor({ state: "attached" });
    await page.getByRole("row", { name: /another type from\.id: number here, string there/ }).waitFor();
    await page.getByRole("row", { name: /only there media: object/ }).waitFor();
    await page.getByText("may have been sent as a number").waitFor();
    await page.getByRole("link", { name: "What the same person sent" }).waitFor();
    await page.goto(`${dashboard.server.baseUrl}/dashboard/events/${eventId}?at=/list`);
    await page.getByRole("navigation", { name: "Place in the payload" }).getByRole("link", { name: "list" }).waitFor();
    const nowhere = await dashboard.open(browser, `/dashboard/events/${eventId + 1_000}`);
    expect(await nowhere.getByRole("heading", { level: 1 }).textContent()).toBe("No such event");
  });

  test("the payload is copied byte for byte, also where scripts have no clipboard", async () => {
    const page = await dashboard.open(browser, `/dashboard/events/${eventId}`, {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    for (const hasClipboard of [true, false]) {
      if (!hasClipboard) {
        await page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
        await page.reload();
      }
      await page.getByRole("button", { name: "Copy", exact: true }).click();
      await page.getByRole("status").getByText("Copied").waitFor();
      await page.evaluate(() => document.body.append(document.createElement("textarea")));
      const area = page.locator("textarea").last();
      await area.focus();
      await page.keyboard.press("Control+V");
      expect(await area.inputValue()).toBe(payload);
    }
  });

  test("handlers and drift say what fails, since when and since which deployment, and lead to the events", async () => {
    const page = await dashboard.open(browser, "/dashboard/handlers?window=24h");
    const row = page.getByRole("row", { name: /comment TypeError · CRM_DOWN 1 0 .* dpl_night/ });
    await row.getByRole("link", { name: "1", exact: true }).click();
    await page.waitForURL(/events\?kind=comment&error=TypeError$/);
    await page.goto(`${dashboard.server.baseUrl}/dashboard/drift`);
    await page.getByRole("row", { name: /comment from\.id not of its type, or missing number 1/ }).waitFor();
    const example = page.getByRole("link", { name: `Event ${eventId}` });
    expect(await example.getAttribute("href")).toBe(`/dashboard/events/${eventId}`);
  });

  test("a delivery's page shows every attempt and leads to its events", async () => {
    const page = await dashboard.open(browser, "/dashboard/deliveries?runtime=edge&outcome=published");
    await page
      .getByRole("row", { name: /published Edge fra1 dpl_1 3\.0 ms 10 ms – 1 0/ })
      .getByRole("link")
      .click();
    await page.getByRole("cell", { name: "0 handled, 1 failed" }).waitFor();
    await page.getByRole("row", { name: /comment drifted retry 3 of 8/ }).waitFor();
    expect(await page.content()).not.toContain("not for lists");
  });

  test("the checks run from the page, and a reader sees the last results and why they may not run them", async () => {
    const page = await dashboard.open(browser, "/dashboard/diagnostics");
    await page.getByRole("button", { name: "Run all checks" }).click();
    await page.getByText(/^\d+ checks failed\.$/).waitFor({ timeout: 40_000 });
    await page.getByRole("row", { name: /QStash: TCP failed ECONNREFUSED/ }).waitFor();
    expect(await page.content()).not.toContain("verify-token");
    const reader = await signInAs(readToken, dashboard.server.baseUrl)(browser, "/dashboard/diagnostics");
    await reader.getByText("Only the role admin may do this; rita has the role read.").first().waitFor();
    await reader.getByRole("row", { name: /QStash: TCP failed ECONNREFUSED/ }).waitFor();
  });

  test("outside Vercel the page Edge and Node gives no verdict; its button sends pairs of probes", async () => {
    await loadDay(dashboard.store.db, { nowMs: Date.now(), edgeFactor: 0.5, pairs: 400 });
    const page = await dashboard.open(browser, "/dashboard/runtimes");
    const verdict = page.getByRole("region", { name: "Is the edge faster?" });
    await verdict.getByText("Not known here: the edge is emulated").waitFor();
    await verdict.getByText(/^Not a verdict: outside Vercel the edge is Next's emulation/).waitFor();
    await page.getByRole("button", { name: "Send probes now" }).click();
    await page.getByText("4 pairs were sent.").waitFor();
    expect(await dashboard.store.db.$count(probePairs)).toBe(404);
  });
});

/** A comment whose handler has failed three times, and which is not as the one before it; resolves with its id. */
async function failComment({ store: { db } }: TestDashboard): Promise<number> {
  const at = new Date(Date.now() - 60_000);
  const delivery = (id: string, handledAt: Date | null) =>
    deliveryRow({ id, receivedAt: at, ...ingested({ deliveredAt: at, handledAt }) });
  await db.insert(deliveries).values([delivery("d_good", at), { ...delivery("d_bad", null), runtime: "edge" }]);
  const row = { kind: "comment", ingestedAt: at };
  const good = '{"from":{"id":"6001"},"text":"hello","id":"17","media":{"id":"1"}}';
  await insertEvents(db, [eventRow({ ...row, key: "k_good", deliveryId: "d_good", data: good })]);
  const bad = eventRow({ ...row, key: "k_bad", deliveryId: "d_bad", drifted: true, data: payload });
  const failure = { errorName: "TypeError", errorCode: "CRM_DOWN" };
  const nextAttemptAt = new Date(Date.now() + 295_000);
  const id = await insertOpenEvent(db, bad, { ...failure, attempts: 3, firstFailedAt: at, nextAttemptAt });
  const frames = ["saveComment (handlers/comment.ts)", "handleComment (handlers/handlers.ts)"];
  const call = {
    ...failure,
    eventId: id,
    ms: 12,
    frames,
    errorMessage: "the shop did not answer",
    deployment: "dpl_night",
  };
  const calls = [1, 2, 3].map((attempt) => ({ ...call, attempt, at: new Date(at.getTime() + attempt * 1_000) }));
  await db.insert(handlerAttempts).values(calls);
  const finding = { kind: "comment", path: "from.id", finding: "mismatch", shape: "number", count: 1, seenAt: at };
  await db.insert(driftFindings).values({ ...finding, eventId: id });
  return id;
}
