import { existsSync } from "node:fs";

import { sql } from "drizzle-orm";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createLifecycleExperiment } from "#store/operators/save-lifecycle.ts";

import { eventually } from "../support/eventually.ts";
import { openDashboard, opsToken, type TestDashboard } from "./open-dashboard.ts";
import { executablePath, launchBrowser, openPage } from "./open-page.ts";

let dashboard: TestDashboard;
let browser: Browser;

describe.skipIf(!existsSync(executablePath))("the diagnostics page in a browser", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    dashboard = await openDashboard();
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await dashboard.close();
  });

  test.runIf(process.env["TEST_PAGES"] === "all")(
    "runs the experiment by keyboard alone, and sends no request until the operator asks for the result",
    async () => {
      const page = await dashboard.open(browser, "/dashboard");
      await page.getByRole("heading", { name: "Status", exact: true }).waitFor();
      await page.getByRole("link", { name: "Diagnostics" }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "What survives the response" }).waitFor();
      expect(await page.getByRole("table").count()).toBe(0);
      // It does not refresh by itself, which would wake what is to be seen asleep.
      expect(await page.getByRole("button", { name: /automatic refresh/ }).count()).toBe(0);

      // What is announced later has to be there before its text.
      const status = await page.getByRole("status").last().elementHandle();
      expect(await status?.textContent()).toBe("");
      const posts: string[] = [];
      page.on("request", (request) => request.method() === "POST" && posts.push(new URL(request.url()).pathname));

      const run = page.getByRole("button", { name: "Run the experiment" });
      await run.focus();
      await page.keyboard.press("Enter");
      await page.getByText("Waiting for all answers").waitFor();
      expect(await run.getAttribute("aria-disabled")).toBe("true");
      expect(await focused(page)).toBe("BUTTON Run the experiment");
      await page.keyboard.press("Enter");
      await page.getByText("Not everything is due yet.").waitFor();
      await eventually("the heading of the result has the focus", async () => (await focused(page)) === "H2 Result");
      // The countdown is not part of what is announced.
      const told = await status?.evaluate((node) => (node.isConnected ? node.textContent : null));
      expect(told).toContain("Not everything is due yet.");
      expect(told).not.toContain("Look again");
      expect(posts).toEqual(["/api/diagnostics/lifecycle"]);
      expect(new URL(page.url()).searchParams.get("experiment")).toMatch(/^[0-9a-f-]{36}$/);
      const ofEdge = async (strategy: string) =>
        page.locator("tbody", { hasText: strategy }).first().locator("tr").first().innerText();
      expect(await ofEdge("waitUntil")).toContain("on time");
      expect(await ofEdge("floating promise")).toContain("pending");
      expect(await ofEdge("setImmediate")).toContain("unavailable");

      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      await page.getByText("An experiment is under way.").waitFor();
      await run.focus();
      await page.keyboard.press("Enter");
      await page.getByRole("timer").getByText("now").waitFor();
      await page.getByText("An experiment is under way.").waitFor({ state: "detached" });
      expect(await run.getAttribute("aria-disabled")).toBe(null);
      expect(asked).toEqual([]);
      await page.getByRole("button", { name: "Look now" }).click();
      await page.getByText(/a process that keeps running/).waitFor();
      expect(await ofEdge("floating promise")).toContain("on time");
      expect(await page.getByText("never", { exact: true }).count()).toBe(0);
    },
  );

  test("shows a failure beside the button, which keeps the focus", async () => {
    const failures = [
      { json: { error: { code: "ENV_INVALID", message: "RELAY_URL is not set" } }, status: 503 },
      { json: { error: { code: "EXPERIMENT_RUNNING", message: "An experiment is running" } }, status: 409 },
      { body: "Bad gateway", status: 502 },
    ];
    const page = await dashboard.open(browser, "/dashboard/diagnostics");
    await page.route("**/api/diagnostics/lifecycle", (route) => route.fulfill(failures.shift()));
    const run = page.getByRole("button", { name: "Run the experiment" });
    await run.focus();
    for (const said of ["RELAY_URL is not set", "An experiment is running", "The server answered 502"]) {
      await page.keyboard.press("Enter");
      await page.getByRole("alert").getByText(said, { exact: true }).waitFor();
      await eventually("the button is enabled again", async () => (await run.getAttribute("aria-disabled")) === null);
      expect(await focused(page)).toBe("BUTTON Run the experiment");
    }
  });

  test("leads an operator without a session to the sign-in page and back", async () => {
    const page = await openPage(browser);
    await page.goto(`${dashboard.server.baseUrl}/dashboard/diagnostics`);
    await page.getByLabel("Token").fill(opsToken);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "What survives the response" }).waitFor();
    expect(page.url()).toBe(`${dashboard.server.baseUrl}/dashboard/diagnostics`);
  });

  test("shows the newest experiment for a deleted one, and scrolls only its table sideways at 360 px", async () => {
    await remember("e_newest");
    const page = await dashboard.open(browser, "/dashboard/diagnostics?experiment=forgotten");
    await page.setViewportSize({ width: 360, height: 740 });
    await page.getByRole("table").waitFor();
    expect(page.url()).toBe(`${dashboard.server.baseUrl}/dashboard/diagnostics`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });
});

/** The element with the focus, and its text. */
async function focused(page: Page): Promise<string> {
  return page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.textContent}`);
}

/** The only experiment there is. */
async function remember(id: string): Promise<void> {
  const { db } = dashboard.store;
  await db.execute(sql`truncate relay.lifecycle_experiments cascade`);
  const runs = [{ runtime: "edge", strategy: "waitUntil", dueAfterMs: 1_000 } as const];
  await createLifecycleExperiment(db, { id, startedAtMs: Date.now(), runs });
}
