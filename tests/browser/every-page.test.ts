import { existsSync } from "node:fs";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { systemClock } from "#platform/clock.ts";
import { openDatabase, type OpenDatabase } from "#store/connection/database.ts";
import { saveRefusals } from "#store/deliveries/save-refusals.ts";
import { deliveryUuid } from "#store/ingest/delivery-uuid.ts";
import { deliveries } from "#store/schema/delivery-schema.ts";
import { deadLetterGroups, deadLetters } from "#store/schema/operations-schema.ts";

import { deliveryRow, eventRow, ingested, insertEvents, insertOpenEvent } from "../dashboard/rows.ts";
import { eventually } from "../support/eventually.ts";
import { type Sink, startSink } from "../support/http-sink.ts";
import { createMigratedDatabase, type TestDatabase } from "../support/postgres.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { findViolations } from "./find-violations.ts";
import { openDashboard, type TestDashboard } from "./open-dashboard.ts";
import { executablePath, launchBrowser } from "./open-page.ts";
import { loadDay } from "./simulated-day.ts";

/** In every field that others can fill: markup, the direction of text, a control character, and a word without an end. */
const hostile = `<script>document.title = "run"</script>\u202e\u0007😀${"x".repeat(240)}`;
const person = "60011223344";

let dashboard: TestDashboard;
let database: TestDatabase;
let store: OpenDatabase;
let proxy: TcpProxy;
let qstash: Sink;
let browser: Browser;

const narrow = 320;
const looks = [
  ["light", 1_280],
  ["dark", narrow],
] as const;
/** In the usual run every page is narrow, one in light and the next in dark; `.ci/run` searches each in both looks, also empty. */
const withAllLooks = process.env["TEST_PAGES"] === "all";

/** Lists, with the state that an address of nonsense leads to. */
const lists = ["alerts", "deliveries", "events", "dead-letters", "replays"];
const others = ["", "handlers", "drift", "diagnostics", "replays/new?kind=comment"];
/** Searched in other tests, too. */
const searched = withAllLooks ? ["runtimes", "find?q=nowhere", "audit"] : [];

describe.skipIf(!existsSync(executablePath))("every page", { timeout: 240_000 }, () => {
  beforeAll(async () => {
    database = await createMigratedDatabase();
    store = openDatabase(database.url);
    proxy = await startTcpProxy(database.url, 5432);
    qstash = await startSink({ respond: () => ({ status: 201, body: JSON.stringify({ messageId: "msg_1" }) }) });
    dashboard = await openDashboard({
      DATABASE_URL: proxy.url,
      QSTASH_URL: qstash.url,
      QSTASH_TOKEN: "qstash-token",
      INSTAGRAM_APP_SECRET: "app-secret",
      INSTAGRAM_VERIFY_TOKEN: "verify-token",
      QSTASH_CURRENT_SIGNING_KEY: "sig_current",
      QSTASH_NEXT_SIGNING_KEY: "sig_next",
    });
    browser = await launchBrowser();
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    await dashboard.close();
    await qstash.close();
    await proxy.close();
    await store.close();
    await database.drop();
  });

  test.runIf(withAllLooks)(
    "has no violation of accessibility and no sideways scrolling while nothing is stored, and for an address of nonsense",
    async () => {
      const page = await dashboard.open(browser, "/dashboard");
      const nonsense = [...lists, "audit"].map((list) => `${list}?nonsense=1`);
      expect(await examine(page, [...others, ...searched, ...lists, ...nonsense])).toEqual([]);
    },
  );

  test("by keyboard alone an operator finds an event, opens it, and plans and starts a replay", async () => {
    await fill();
    const page = await dashboard.open(browser, "/dashboard");
    await page.getByText("Needs attention").or(page.getByText("Failing.")).first().waitFor();
    const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await pressUntil(page, "?", () => help.isVisible());
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("g");
    await page.keyboard.press("e");
    await page.getByRole("heading", { level: 1, name: "Events" }).waitFor();
    await page.locator("tbody tr").nth(1).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    expect(
      await page.evaluate(() => document.activeElement?.closest("tbody tr")?.previousElementSibling !== null),
    ).toBe(true);
    await page.keyboard.press("/");
    await page.keyboard.type("retried-key");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: /^Event \d/ }).waitFor();
    await tabTo(page, "Replay this…");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Plan a replay" }).waitFor();
    await tabTo(page, "Reason, which is recorded, and which the handlers get");
    await page.keyboard.type("the CRM is back");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "the CRM is back" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").getByRole("textbox").waitFor();
    await page.keyboard.type("edge and");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Edge and Node" }).waitFor();
  });

  test("has no violation of accessibility and no sideways scrolling with hostile texts in every field", async () => {
    await fill();
    const page = await dashboard.open(browser, "/dashboard");
    const [event, group, replay] = await Promise.all(
      ["events", "dead_letter_groups", "replays"].map(async (table) => {
        const { rows } = await store.db.$client.query<{ id: string }>(
          `select id from relay.${table} order by id limit 1`,
        );
        return rows[0]?.id ?? "";
      }),
    );
    const details = [
      `events/${event}`,
      `deliveries/${deliveryUuid("d_hostile")}`,
      `dead-letters/${group}`,
      `replays/${replay}`,
    ];
    expect(await examine(page, [...others, ...searched, ...lists, ...details, `find?q=${person}`])).toEqual([]);
    expect(await page.title()).not.toBe("run");
  });

  test.runIf(withAllLooks)(
    "an open page offers what is new, leaves what the reader is doing alone, and says when it is not live",
    async () => {
      await fill();
      const page = await dashboard.open(browser, "/dashboard/events");
      const arrive = async (key: string) => {
        const ingestedAt = new Date();
        await insertEvents(store.db, [eventRow({ key, deliveryId: "d_new", ingestedAt, senderId: key })]);
      };
      await page.getByText(/^As of/).waitFor();
      await pressUntil(page, "j", () =>
        page.evaluate(() => document.activeElement?.closest("tbody tr") instanceof HTMLElement),
      );
      await arrive("70000000001");
      await page.getByRole("button", { name: "1 new" }).waitFor({ timeout: 15_000 });
      expect(await page.getByText("70000000001").count()).toBe(0);
      await page.getByRole("button", { name: "1 new" }).click();
      await page.getByText("70000000001").first().waitFor();
      // With nothing in use, the page reads again by itself.
      await arrive("70000000002");
      await page.getByText("70000000002").first().waitFor({ timeout: 15_000 });
      await page.context().setOffline(true);
      await page.getByText(/No connection: not live since/).waitFor({ timeout: 15_000 });
      await page.context().setOffline(false);
      await page.getByText(/^As of/).waitFor({ timeout: 15_000 });
    },
  );

  test("while Postgres is away a page says so and what still works, and recovers by itself", async () => {
    const page = await dashboard.open(browser, "/dashboard/events");
    await proxy.goDown();
    await page.reload();
    await page.getByText("The dashboard cannot read the store").waitFor();
    expect(await examine(page, withAllLooks ? ["", "events"] : ["events"])).toEqual([]);
    await proxy.comeUp();
    await page.getByText(/^As of/).waitFor({ timeout: 30_000 });
  });
});

/** What axe finds and what is too wide. */
async function examine(page: Page, paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const [place, path] of paths.entries()) {
    await page.goto(`${dashboard.server.baseUrl}/dashboard${path === "" ? "" : `/${path}`}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    const usual = [place % 2 === 0 ? "light" : "dark", narrow] as const;
    for (const [colorScheme, width] of withAllLooks ? looks : [usual]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
      const scrollWidth = await page.evaluate(() => document.documentElement.scrollWidth);
      const broken = scrollWidth > width ? [`${scrollWidth} px wide`] : [];
      broken.push(...(await findViolations(page)));
      found.push(...broken.map((what) => `${path} ${colorScheme} ${width}: ${what}`));
    }
  }
  return found;
}

/** Presses a key again and again: a page hears none before React has taken it over. */
async function pressUntil(page: Page, key: string, isHeard: () => Promise<boolean>): Promise<void> {
  const press = async () => {
    await page.keyboard.press(key);
    return isHeard();
  };
  await eventually(`${key} is heard`, press, 20_000);
}

const tabbingMsMax = 20_000;

/** Moves the focus by Tab until it is on the element with this text or label, and the page hears what is typed there. */
async function tabTo(page: Page, name: string): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  while (systemClock.monotonicMs() - startedMs < tabbingMsMax) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      const label = element instanceof HTMLInputElement ? element.labels?.[0] : element;
      // Before React has taken the page over, it would forget the text.
      if (!Object.keys(element ?? {}).some((key) => key.startsWith("__reactProps"))) return "";
      return label?.textContent?.replace(/\s*\*$/, "") ?? "";
    });
    if (focused === name) return;
  }
  throw new Error(`The focus did not come to "${name}"`);
}

let filled: Promise<void> | undefined;
/** A bad night, with hostile texts wherever others decide on a text. */
function fill(): Promise<void> {
  filled ??= fillOnce();
  return filled;
}

async function fillOnce(): Promise<void> {
  const nowMs = Date.now();
  const at = (minutes: number) => new Date(nowMs - minutes * 60_000);
  await loadDay(store.db, { nowMs, edgeFactor: 0.8, pairs: 40 });
  await store.db.insert(deliveries).values(
    ["d_hostile", "d_new", "d_lost"].map((id, index) => ({
      ...deliveryRow({ id, receivedAt: at(index + 1), ...ingested({ deliveredAt: at(index + 1) }) }),
      ...(id === "d_lost" ? { outcome: "lost", ingestedAt: null, errorType: hostile.slice(0, 100) } : {}),
    })),
  );
  const data = JSON.stringify({ message: { mid: "m", text: hostile, attachments: [{ type: hostile }] } });
  const named = { senderId: hostile, recipientId: hostile, kind: "comment", data };
  await insertEvents(store.db, [
    eventRow({
      key: hostile,
      deliveryId: "d_hostile",
      ingestedAt: at(1),
      ...named,
      drifted: true,
      test: true,
      standby: true,
    }),
    eventRow({ key: "k", deliveryId: "d_hostile", ingestedAt: at(1), senderId: person }),
  ]);
  const failure = { errorName: hostile.slice(0, 100), errorCode: hostile.slice(0, 100) };
  const retried = { ...failure, attempts: 2, firstFailedAt: at(1), nextAttemptAt: at(-5) };
  await insertOpenEvent(
    store.db,
    eventRow({ key: "retried-key", deliveryId: "d_hostile", ingestedAt: at(1) }),
    retried,
  );
  const [group] = await store.db
    .insert(deadLetterGroups)
    .values({
      fingerprint: "f",
      cause: "handler",
      ...failure,
      kind: hostile.slice(0, 60),
      firstAt: at(60),
      state: "acknowledged",
      changedBy: hostile.slice(0, 100),
      note: hostile,
    })
    .returning({ id: deadLetterGroups.id });
  const letter = { source: "handler", groupId: group?.id ?? 0, ...failure, errorMessage: hostile, frames: [hostile] };
  await store.db.insert(deadLetters).values([1, 2].map((id) => ({ ...letter, sourceId: `${id}` })));
  await saveRefusals(store.db, { runtime: "edge", atMs: nowMs - 60_000, counts: { SIGNATURE_INVALID: 12 } }, nowMs);
}
