import { existsSync } from "node:fs";

import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type BrowserServer,
  chromium,
  type Page,
} from "playwright-core";
import { expect, onTestFinished } from "vitest";

const headlessShell = "/usr/bin/chromium-headless-shell";

/** The headless shell takes a fifth less of the processor than the whole browser. */
export const executablePath =
  process.env["CHROMIUM_PATH"] ?? (existsSync(headlessShell) ? headlessShell : "/usr/bin/chromium");

/** Root cannot have a sandbox, and nothing here needs the network. */
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let server: Promise<BrowserServer> | undefined;

/** A browser whose `close` ends its pages: the process is one for all files of a worker and ends with it. */
export async function launchBrowser(): Promise<Browser> {
  server ??= chromium.launchServer({ executablePath, args, host: "127.0.0.1" });
  return chromium.connect((await server).wsEndpoint());
}

/** A page in a context of its own, with the checks of `openPageIn`. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  return openPageIn(context);
}

/**
 * A page of the running test. The test fails if the page reports an error, a hydration mismatch say, or does something that
 * its Content-Security-Policy forbids.
 */
export async function openPageIn(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (/content security policy|hydrat/i.test(message.text())) errors.push(message.text());
  });
  onTestFinished(async () => {
    await page.close();
    expect(errors).toEqual([]);
  });
  return page;
}
