import { randomUUID } from "node:crypto";

import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";

import { createSignInLink } from "#dashboard/access/ops-session.ts";
import { openDatabase, type OpenDatabase } from "#store/connection/database.ts";

import { createMigratedDatabase } from "../support/postgres.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { openPageIn } from "./open-page.ts";

/** Of the role admin. */
export const opsToken = "a-token-for-the-browser-of-32-characters";

/** Opens a page at a path. */
export type OpenSignedIn = (browser: Browser, path: string, options?: BrowserContextOptions) => Promise<Page>;

/** A built server with a database of its own. */
export interface TestDashboard {
  databaseUrl: string;
  store: OpenDatabase;
  server: TestServer;
  open: OpenSignedIn;
  close(): Promise<void>;
}

/** Starts the product with a database that holds nothing. */
export async function openDashboard(env: Record<string, string> = {}): Promise<TestDashboard> {
  const database = await createMigratedDatabase();
  const store = openDatabase(database.url);
  const server = await startTestServer({
    env: (baseUrl) => ({
      DATABASE_URL: database.url,
      OPS_TOKEN: opsToken,
      RELAY_SECRET: "relay-secret-of-thirty-two-characters",
      RELAY_URL: baseUrl,
      ...env,
    }),
  });
  return {
    databaseUrl: database.url,
    store,
    server,
    open: signInAs(opsToken, server.baseUrl),
    async close() {
      await server.stop();
      await store.close();
      await database.drop();
    },
  };
}

/**
 * Pages of an operator who signs in once. Those with the same options share a context, its cookies and its cache: a context of
 * its own would take each page twice as long.
 */
export function signInAs(token: string, baseUrl: string): OpenSignedIn {
  let signedIn: Promise<StorageState> | undefined;
  const contexts = new Map<string, Promise<BrowserContext>>();
  return async (browser, path, options = {}) => {
    const key = JSON.stringify(options);
    const storageState = await (signedIn ??= signIn(browser, token, baseUrl));
    // Without motion a click need not wait until what it is for stands still.
    const context = contexts.get(key) ?? browser.newContext({ storageState, reducedMotion: "reduce", ...options });
    contexts.set(key, context);
    const page = await openPageIn(await context);
    await page.goto(baseUrl + path);
    return page;
  };
}

type StorageState = Awaited<ReturnType<BrowserContext["storageState"]>>;

async function signIn(browser: Browser, token: string, baseUrl: string): Promise<StorageState> {
  const context = await browser.newContext();
  const link = await createSignInLink({ baseUrl, opsToken: token, nowMs: Date.now(), id: randomUUID() });
  await context.request.get(link, { maxRedirects: 0 });
  const state = await context.storageState();
  await context.close();
  return state;
}
