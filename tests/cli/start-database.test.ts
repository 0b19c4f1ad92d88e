import { Client } from "pg";
import { expect, inject, onTestFinished, test } from "vitest";

import { createMigratedDatabase } from "../support/postgres.ts";
import { createRestrictedRole } from "../support/restricted-role.ts";
import { createPlace, startProcess } from "./start-process.ts";

/** With the real QStash nothing but the database is needed. */
const realQstash = {
  QSTASH_TOKEN: "qstash-token",
  QSTASH_CURRENT_SIGNING_KEY: "sig_current_key",
  QSTASH_NEXT_SIGNING_KEY: "sig_next_key",
  RELAY_URL: "https://relay.example",
};

test("starts with a database whose role cannot create anything", { timeout: 60_000 }, async () => {
  const { url, drop } = await createMigratedDatabase();
  onTestFinished(drop);
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  const place = await createPlace();
  onTestFinished(() => place.remove());
  const started = startProcess(place, "node", {
    ...realQstash,
    DATABASE_URL: await createRestrictedRole(client, url),
  });
  onTestFinished(async () => {
    started.signal("SIGTERM", "group");
    await started.exited;
  });
  await started.untilRunning();
  const health = await fetch(`${place.baseUrl}/api/health`);
  expect(await health.json()).toMatchObject({ store: "ok" });
});

test("refuses an address that is not one of Postgres", { timeout: 60_000 }, async () => {
  const place = await createPlace();
  onTestFinished(() => place.remove());
  const url = new URL(inject("postgresUrl"));
  const started = startProcess(place, "node", { ...realQstash, DATABASE_URL: url.href.replace(/^\w+/, "mysql") });
  onTestFinished(() => started.signal("SIGKILL", "group"));
  expect(await started.exited).toBe(1);
  expect(started.output()).toContain("DATABASE_URL: set, but not a Postgres URL");
  expect(started.output()).not.toContain(url.password);
});
