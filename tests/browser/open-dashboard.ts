import { randomUUID } from "node:crypto";

import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";

import { createSignInLink } from "#dashboard/ops-session.ts";
import { openDatabase, type OpenDatabase } from "#store/database.ts";

import { createMigratedDatabase } from "../support/postgres.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { openPage } from "./open-page.ts";

/** Of the role admin. */
export const opsToken = "a-token-for-the-browser-of-32-characters";

/** A built server with a database of its own. */
export interface TestDashboard {
  databaseUrl: string;
  store: OpenDatabase;
  server: TestServer;
  /** Opens a page of a signed-in operator at a path. */
  open(browser: Browser, path: string, options?: BrowserContextOptions): Promise<Page>;
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
  let storageState: StorageState | undefined;
  return {
    databaseUrl: database.url,
    store,
    server,
    async open(browser, path, options) {
      storageState ??= await signIn(browser, server.baseUrl);
      const page = await openPage(browser, { storageState, ...options });
      await page.goto(server.baseUrl + path);
      return page;
    },
    async close() {
      await server.stop();
      await store.close();
      await database.drop();
    },
  };
}

type StorageState = Awaited<ReturnType<BrowserContext["storageState"]>>;

/** The cookies of a signed-in operator. */
async function signIn(browser: Browser, baseUrl: string): Promise<StorageState> {
  const context = await browser.newContext();
  await context.request.get(await createSignInLink({ baseUrl, opsToken, nowMs: Date.now(), id: randomUUID() }));
  const state = await context.storageState();
  await context.close();
  return state;
}
