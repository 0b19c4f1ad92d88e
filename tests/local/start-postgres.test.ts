import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { sendSignal } from "#local/processes.ts";
import { startPostgres } from "#local/start-postgres.ts";
import { createTeardown } from "#local/teardown.ts";

import { eventually } from "../support/eventually.ts";

async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function canQuery(url: string): Promise<boolean> {
  return query(url, "select").then(
    () => true,
    () => false,
  );
}

test("a Postgres that is killed runs again on the same port, with its data", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "relay-start-postgres-"));
  const notices: string[] = [];
  const teardown = createTeardown(() => {});
  const never = new AbortController().signal;
  onTestFinished(async () => {
    await teardown.run(never);
    rmSync(dataDir, { recursive: true, force: true });
  });
  const stop = { signal: never, hurry: never, failure: null, stop: () => {} };
  const notice = (text: string) => void notices.push(text);
  const lifetime = { dataDir, follow: undefined, step: <T>(_doing: string, work: () => Promise<T>) => work() };
  const { urls, folder } = await startPostgres(
    { ...lifetime, notice, stop, teardown },
    { password: "superuser", databases: [{ name: "relay", password: "relay" }] },
  );
  const url = urls[0] ?? "";
  await query(url, "create table kept as select 1 as it");
  const pid = () => Number(readFileSync(join(folder, "postmaster.pid"), "utf8").split("\n")[0]);
  const before = pid();

  sendSignal(before, "SIGKILL");
  await eventually("it says how Postgres ended", () => notices.length > 0, 10_000);
  expect(notices[0]).toMatch(/^Postgres was ended by SIGKILL\. It starts again in 0\.5 s\.\n.*postgres\.log/);
  // It answers a moment before that.
  await eventually("Postgres runs again", () => notices.at(-1) === "Postgres runs again.", 20_000);
  expect(await query(url, "select it from kept")).toEqual([{ it: 1 }]);
  expect(pid()).not.toBe(before);

  await teardown.run(never);
  expect(await canQuery(url)).toBe(false);
});
