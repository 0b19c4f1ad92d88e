import { randomUUID } from "node:crypto";

import type { Browser, BrowserContextOptions, Page } from "playwright-core";

import { createSignInLink } from "#dashboard/ops-session.ts";
import { openDatabase, type OpenDatabase } from "#store/database.ts";

import { createMigratedDatabase } from "../support/postgres.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { openPage } from "./open-page.ts";

const opsToken = "a-token-for-the-browser-of-32-characters";

/** A built server with a database of its own. */
export interface TestDashboard {
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
  return {
    store,
    server,
    async open(browser, path, options) {
      const page = await openPage(browser, options);
      const link = { baseUrl: server.baseUrl, opsToken, nowMs: Date.now(), id: randomUUID() };
      await page.goto(await createSignInLink(link));
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
