import { existsSync } from "node:fs";

import { sql } from "drizzle-orm";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { deliveries } from "#store/schema/delivery-schema.ts";

import { deliveryRow } from "../dashboard/rows.ts";
import { findViolations } from "./find-violations.ts";
import { openDashboard, opsToken, signInAs, type TestDashboard } from "./open-dashboard.ts";
import { executablePath, launchBrowser } from "./open-page.ts";
import { loadDay } from "./simulated-day.ts";

const path = "/dashboard/runtimes";
/** Compressed, of all scripts that a page loads. */
const scriptBytesMax = 250_000;

/** `.ci/run` asks for more looks, answers and pages than show that the page has each of them. */
const withAllPages = process.env["TEST_PAGES"] === "all";
const looks = withAllPages
  ? ([
      [1_280, "light"],
      [390, "dark"],
    ] as const)
  : ([[390, "dark"]] as const);

let dashboard: TestDashboard;
let browser: Browser;

describe.skipIf(!existsSync(executablePath))("the page Edge and Node in a browser", { timeout: 120_000 }, () => {
  beforeAll(async () => {
    // Outside Vercel no verdict is given.
    dashboard = await openDashboard({ VERCEL: "1" });
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await dashboard.close();
  });

  const clear = () =>
    dashboard.store.db.execute(sql`truncate relay.measurements, relay.measurement_series, relay.figures,
      relay.probe_pairs, relay.deliveries`);
  /** Loads a day in the place of what is there. */
  const load = async (edgeFactor: number, pairs = 1_200) => {
    await clear();
    await loadDay(dashboard.store.db, { nowMs: Date.now(), edgeFactor, pairs });
  };

  describe("after a day on which the edge took a quarter less time", () => {
    beforeAll(async () => {
      await load(0.75);
      const receivedAt = new Date(Date.now() - 3_600_000);
      await dashboard.store.db
        .insert(deliveries)
        .values([
          deliveryRow({ id: "d_lost", receivedAt, outcome: "lost" }),
          deliveryRow({ id: "d_kept", receivedAt }),
        ]);
    });

    test("the page says that the edge is faster, the arrow keys read out its charts, and a figure leads to its deliveries", async () => {
      const page = await dashboard.open(browser, path);
      expect(await verdictOn(page)).toEqual([
        "Yes, the edge is faster",
        expect.stringMatching(/^The edge is faster: its p95 is 2\d\s% lower than Node's/),
        expect.stringMatching(/^Typically the edge takes 2\d\s% less time than Node/),
      ]);
      await page.locator(".uplot canvas").nth(2).waitFor();
      expect(await page.getByRole("heading", { level: 3 }).allInnerTexts()).toEqual([
        "Deployments",
        ...["Ack", "Publish", "Queue wait", "Handler", "End to end", "Probe"].map((name) =>
          expect.stringMatching(`^${name} `),
        ),
      ]);
      await page.getByRole("row", { name: /Edge → consumer/ }).waitFor();

      const chart = page.getByRole("slider", { name: "Ack p95 over time" });
      await chart.focus();
      const readOut = () => chart.getAttribute("aria-valuetext");
      await page.keyboard.press("End");
      // The hour of the page, which may be over by now.
      const last = (await chart.getAttribute("aria-valuemax")) ?? "";
      await expect.poll(() => chart.getAttribute("aria-valuenow"), { timeout: 10_000 }).toBe(last);
      const hour = (await readOut())?.slice(0, 13).replace(" ", "T");
      await page.keyboard.press("ArrowLeft");
      // The hour before: the first hour of the window may hold nothing yet.
      const before = new Date(Date.parse(`${hour}:00Z`) - 3_600_000).toISOString().slice(0, 13).replace("T", " ");
      await expect
        .poll(readOut, { timeout: 10_000 })
        .toMatch(new RegExp(`^${before}:00 UTC: edge [\\d.]+ m?s, Node [\\d.]+ m?s$`));
      // All charts move at once.
      const other = page.getByRole("slider", { name: "Ack p50 over time" });
      expect((await other.getAttribute("aria-valuetext"))?.slice(0, 13)).toBe(before);

      await page.getByRole("row", { name: /^Lost/ }).getByRole("link").click();
      await page.getByRole("heading", { level: 1, name: "Deliveries" }).waitFor();
      await page.getByRole("cell", { name: "lost" }).waitFor();
      expect(await page.getByRole("cell", { name: "published" }).count()).toBe(0);
      expect(await page.getByLabel("Outcome", { exact: true }).inputValue()).toBe("lost");
    });

    test("window, region, deployment and start are in the address, and work without JavaScript", async () => {
      const page = await dashboard.open(browser, path, { javaScriptEnabled: false });
      await page.getByLabel("Region", { exact: true }).selectOption("iad1");
      await page.getByLabel("Start", { exact: true }).selectOption("warm");
      await page.getByRole("button", { name: "Show" }).click();
      await page.getByRole("link", { name: "Show all" }).waitFor();
      await page.getByRole("link", { name: "the last 7 days" }).click();
      const given = new URL(page.url()).searchParams;
      expect([given.get("window"), given.get("region"), given.get("cold")]).toEqual(["7d", "iad1", "warm"]);
      expect(await page.getByLabel("Region", { exact: true }).inputValue()).toBe("iad1");
      expect(await page.getByRole("link", { name: "fra1, warm" }).count()).toBe(0);
      await page.getByRole("link", { name: "iad1, warm" }).waitFor();
      await page.getByText("Ack over time as a table").click();
      expect(await page.getByRole("table", { name: /Percentiles of the ack by interval/ }).count()).toBe(1);
    });

    test("with all details open no rule of accessibility is violated, and only the boxes of tables scroll sideways", async () => {
      const page = await dashboard.open(browser, path);
      await page.locator(".uplot canvas").nth(2).waitFor();
      for (const summary of await page.locator("main details > summary").all()) await summary.click();
      for (const [width, colorScheme] of looks) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
        expect([width, colorScheme, await findViolations(page)]).toEqual([width, colorScheme, []]);
      }
      for (const width of [390, 320]) {
        await page.setViewportSize({ width, height: 740 });
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      }
    });

    test.runIf(withAllPages)("no page of the dashboard loads more than 250 kB of compressed script", async () => {
      const bytes: Record<string, number> = {};
      for (const each of [
        "",
        "/runtimes",
        "/events",
        "/deliveries",
        "/deliveries/d_kept",
        "/dead-letters",
        "/replays",
        "/diagnostics",
      ]) {
        // Each in a context of its own, with an empty cache.
        const page = await signInAs(opsToken, dashboard.server.baseUrl)(browser, "/icon.svg");
        const sizes: Promise<number>[] = [];
        page.on("requestfinished", (request) => {
          if (request.resourceType() !== "script") return;
          sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
        });
        await page.goto(`${dashboard.server.baseUrl}/dashboard${each}`, { waitUntil: "load" });
        bytes[`/dashboard${each}`] = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
      }
      // None at all would mean that scripts are not counted.
      expect(Object.entries(bytes).filter(([, size]) => size < 100_000 || size > scriptBytesMax)).toEqual([]);
    });
  });

  test("after other days it answers otherwise, and without any measurement it says so everywhere", async () => {
    const days = [
      {
        edgeFactor: 1.35,
        pairs: 1_200,
        answer: "No, Node is faster",
        sentence: /^Node is faster: its p95 is 2\d\s% lower/,
      },
      {
        edgeFactor: 1,
        pairs: 1_200,
        answer: "No difference shown",
        sentence: /So many pairs would show a p95 that is \d+\s% higher/,
      },
      { edgeFactor: 0.5, pairs: 40, answer: "Too few pairs to tell", sentence: /^Undecided: 40\swarm pairs/ },
    ];
    const page = await dashboard.open(browser, "/icon.svg");
    for (const { answer, sentence, edgeFactor, pairs } of withAllPages ? days : days.slice(0, 1)) {
      await load(edgeFactor, pairs);
      await page.goto(dashboard.server.baseUrl + path);
      expect((await verdictOn(page)).slice(0, 2)).toEqual([answer, expect.stringMatching(sentence)]);
    }
    await clear();
    await page.reload();
    await page.getByText("Not measured yet", { exact: true }).waitFor();
    await page.getByText("No stage was measured in this window.").waitFor();
    expect(await page.locator("canvas").count()).toBe(0);
  });
});

/** The answer to the page's question, and the sentences below it. */
async function verdictOn(page: Page): Promise<string[]> {
  const panel = page.getByRole("region", { name: "Is the edge faster?" });
  await panel.waitFor();
  return panel.getByRole("paragraph").allInnerTexts();
}
