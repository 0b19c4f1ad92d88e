import { existsSync } from "node:fs";

import { Client } from "pg";
import type { Browser } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { startTestRelay, type TestRelay } from "../support/relay.ts";
import { makeBadNight } from "./bad-night.ts";
import { type OpenSignedIn, signInAs } from "./open-dashboard.ts";
import { executablePath, launchBrowser } from "./open-page.ts";

const admin = "ops-token-of-thirty-two-characters";
const reader = "the-token-of-bob-of-32-characters";
/** The groups of `makeBadNight`, in its order. */
const groupOf = { comment: 1, batch: 2, message: 3 };

describe.skipIf(!existsSync(executablePath))("repairing from the pages", { timeout: 60_000 }, () => {
  let relay: TestRelay;
  let browser: Browser;
  let client: Client;
  let openAsAdmin: OpenSignedIn;

  beforeAll(async () => {
    relay = await startTestRelay({ INGESTION_PARALLELISM: "10", OPS_TOKENS: `bob:read:${reader}` });
    await makeBadNight(relay.databaseUrl, { nowMs: Date.now(), events: 200 });
    client = new Client({ connectionString: relay.databaseUrl });
    await client.connect();
    browser = await launchBrowser();
    openAsAdmin = signInAs(admin, relay.baseUrl);
    return async () => {
      await browser.close();
      await client.end();
      await relay.stop();
    };
  }, 180_000);

  const open = (path: string) => openAsAdmin(browser, path);

  const startedReplays = async () => {
    const { rows } = await client.query<{ id: string; state: string; done: number }>(
      "select id, state, done from relay.replays where id not in ('rp_running', 'rp_cancelled', 'rp_finished', 'rp_planned') and started_at is not null",
    );
    return rows;
  };

  test("what failed is found, acknowledged and replayed, and two who decide at once do not overwrite each other", async () => {
    const page = await open("/dashboard/dead-letters");
    const rows = await page.getByRole("row").allTextContents();
    expect(rows[1]).toMatch(/RangeError.*3 events.*open again, regression/);
    expect(rows[2]).toMatch(/TypeError · CRM_SHAPE.*29 events.*open.*dpl_night/);
    expect(rows[3]).toMatch(/HTTP 503.*8 batches.*in 4 h/);

    await page.getByRole("link", { name: "TypeError · CRM_SHAPE" }).click();
    await page.getByText("saveComment (handlers/comment.ts)").waitFor();
    const stale = await open(`/dashboard/dead-letters/${groupOf.comment}`);
    await page.getByLabel("Note (optional)").fill("Anna looks at it");
    await page.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByText("acknowledged by ops").waitFor();
    await stale.getByRole("button", { name: "Resolve" }).click();
    await stale.getByText("Meanwhile ops made the group acknowledged: look at it again").waitFor();

    await page.getByRole("link", { name: "Replay what failed" }).click();
    await page.getByRole("button", { name: "Replay 29 events" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("The handlers of 29 events run (29 comment).").waitFor();
    await dialog.getByRole("button", { name: "Start the replay" }).dblclick();
    await page.waitForURL(/\/dashboard\/replays\/rp_[0-9a-f]{32}$/);
    await page.getByText("finished", { exact: true }).waitFor();
    expect(await startedReplays()).toMatchObject([{ state: "finished", done: 29 }]);
    await page.getByRole("link", { name: "Its events" }).waitFor();
    await page.goto(`${relay.baseUrl}/dashboard/dead-letters/${groupOf.comment}`);
    await page.getByText("resolved by a replay", { exact: true }).waitFor();
  });

  test.runIf(process.env["TEST_PAGES"] === "all")(
    "a plan that expired in the open dialog, and one whose events are replayed already, say what to do",
    async () => {
      const page = await open("/dashboard/replays/new?kind=message&mode=again&ratePerMinute=20&reason=once+more");
      await page.getByRole("button", { name: /^Replay \d+ events again$/ }).click();
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      await client.query(`update relay.replays set plan = (plan::jsonb || '{"expiresAt":"2026-01-01T00:00:00Z"}')::json
      where reason = 'once more'`);
      const confirm = async () => {
        const label = (await dialog.getByText(/^Type [\d,]+ to confirm$/).textContent()) ?? "";
        await dialog.getByRole("textbox").fill(label.replace(/\D/g, ""));
        await dialog.getByRole("button", { name: "Start the replay" }).click();
      };
      await confirm();
      await dialog.getByText("The plan expired at 2026-01-01T00:00:00Z: plan the replay again").waitFor();
      await dialog.getByRole("button", { name: "Plan anew" }).click();
      await eventually("the plan is made anew", async () => {
        const { rows } = await client.query("select from relay.replays where reason = 'once more'");
        return rows.length === 2;
      });
      await dialog.getByRole("button", { name: "Plan anew" }).waitFor({ state: "detached" });
      await confirm();
      await dialog.getByText("rp_running runs the same events again at this moment").waitFor();
      const other = await open("/dashboard/replays/rp_running");
      await other.getByRole("button", { name: "Cancel" }).click();
      await other.getByText("Cancelled: cancelled by ops").waitFor();
      await dialog.getByRole("button", { name: "Start the replay" }).click();
      await page.waitForURL(/\/dashboard\/replays\/rp_[0-9a-f]{32}$/);
      await page.getByRole("progressbar", { name: "Progress of the replay" }).waitFor({ state: "attached" });
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByText("Cancelled: cancelled by ops").waitFor();
    },
  );

  test("a reader sees all of it and why the buttons are off; the route refuses, too", async () => {
    const page = await signInAs(reader, relay.baseUrl)(browser, `/dashboard/dead-letters/${groupOf.message}`);
    await page.getByText("Only the role admin may do this; bob has the role read.").first().waitFor();
    const button = page.getByRole("button", { name: "Acknowledge" });
    expect(await button.getAttribute("aria-disabled")).toBe("true");
    await button.click({ force: true });
    await page.goto(`${relay.baseUrl}/dashboard/replays/rp_planned`);
    expect(await page.getByRole("button", { name: "Start the replay" }).getAttribute("aria-disabled")).toBe("true");
    const status = await page.evaluate(async () => {
      const response = await fetch("/api/ops/replays/rp_planned/start", { method: "POST" });
      return response.status;
    });
    expect(status).toBe(403);
    const { rows } = await client.query("select state from relay.dead_letter_groups where id = $1", [groupOf.message]);
    expect(rows).toEqual([{ state: "open" }]);
  });

  test("ingestion is paused after a question, and resumed", async () => {
    const page = await open("/dashboard");
    await page.getByRole("button", { name: "Pause ingestion" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Pause ingestion" }).click();
    await page.getByText("0 batches wait at QStash.").first().waitFor();
    await page.getByRole("button", { name: "Resume ingestion" }).first().click();
    await page.getByRole("button", { name: "Pause ingestion" }).waitFor();
    expect(await relay.ops("pause")).toMatchObject({ paused: false });
  });

  test("an address with an unknown condition plans nothing, and one of a search says why", async () => {
    const page = await open("/dashboard/replays/new?acount=1&kind=message");
    await page.getByText("acount is no parameter of this").waitFor();
    expect(await page.getByRole("button", { name: /^Replay/ }).count()).toBe(0);
    await page.goto(`${relay.baseUrl}/dashboard/replays/new?q=hello`);
    await page.getByText("A search for a text cannot be frozen by a plan").waitFor();
  });
});
