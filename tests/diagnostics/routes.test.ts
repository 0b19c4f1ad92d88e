/** The built server, asked directly and by the doctor. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Diagnosis } from "#diagnostics/check.ts";

import { relay as runRelay } from "../cli/relay-process.ts";
import { startTestRelay, type TestRelay } from "../support/relay.ts";
import { find, goodEnvironment, troubles } from "./environment.ts";

const { INSTAGRAM_APP_SECRET, INSTAGRAM_VERIFY_TOKEN, RELAY_SECRET } = goodEnvironment;
const given = { INSTAGRAM_APP_SECRET, INSTAGRAM_VERIFY_TOKEN, RELAY_SECRET, QSTASH_DEV: "true" };

let relay: TestRelay;
beforeAll(async () => {
  relay = await startTestRelay(given);
});
afterAll(() => relay.stop());

function post(
  what: string,
  headers: Record<string, string> = { authorization: "Bearer ops-token-of-thirty-two-characters" },
) {
  return fetch(`${relay.baseUrl}/api/diagnostics/${what}`, { method: "POST", headers });
}

async function diagnose(what: string): Promise<Diagnosis & Record<string, unknown>> {
  const response = await post(what);
  expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
  return (await response.json()) as Diagnosis & Record<string, unknown>;
}

describe("POST /api/diagnostics", () => {
  test.each(["env", "qstash", "queue", "network"])("%s answers only POST, and only with the token", async (what) => {
    expect((await post(what, {})).status).toBe(401);
    expect((await post(what, { authorization: "Bearer wrong" })).status).toBe(401);
    const read = await fetch(`${relay.baseUrl}/api/diagnostics/${what}`);
    expect([read.status, read.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test("env reports the variables of the server, also those of other programs", async () => {
    const diagnosis = await diagnose("env");
    expect(diagnosis.ok).toBe(true);
    expect(find(diagnosis, "QSTASH_URL")).toEqual({ name: "QSTASH_URL", status: "ok", detail: "set" });
    expect(troubles(diagnosis)).toEqual(["QSTASH_DEV: warning set"]);
  });

  test("qstash publishes twice and sees the delivery, whatever QSTASH_DEV says", async () => {
    const diagnosis = await diagnose("qstash");
    expect(troubles(diagnosis)).toEqual([]);
    expect(diagnosis).toMatchObject({ ok: true, sdk: { ok: true }, http: { ok: true, status: 200 } });
    expect(await relay.ops("events")).toMatchObject({ events: [] });
  });

  test("network reaches every target", async () => {
    const diagnosis = await diagnose("network");
    // Meta may be out of reach where tests run.
    expect(troubles(diagnosis).filter((trouble) => !trouble.startsWith("Meta: "))).toEqual([]);
    expect(diagnosis.ok).toBe(true);
    expect(find(diagnosis, "Postgres: schema").detail).toBe("up to date");
  });
});

test("the doctor checks from this machine and on the relay", { timeout: 60_000 }, async () => {
  const env = {
    ...given,
    INSTAGRAM_APP_SECRET: "17841400000000001",
    RELAY_URL: relay.baseUrl,
    DATABASE_URL: relay.databaseUrl,
    QSTASH_URL: relay.broker.url,
    QSTASH_TOKEN: "wrong-token-only-here",
    QSTASH_CURRENT_SIGNING_KEY: "sig_current_key",
    QSTASH_NEXT_SIGNING_KEY: "sig_next_key",
    QSTASH_DEV: "",
    OPS_TOKEN: "ops-token-of-thirty-two-characters",
    DATA_DIR: "/nonexistent",
  };
  const { status, stdout, stderr } = await runRelay(["doctor", "--json"], env);
  expect([status, stderr]).toEqual([1, "✖ 4 checks failed.\n"]);
  const result = JSON.parse(stdout) as { ok: boolean } & Record<"here" | "relay", Record<string, Diagnosis>>;
  expect(result.ok).toBe(false);
  expect(Object.keys(result.here)).toEqual(["env", "qstash", "network"]);
  expect(Object.values(result.here).map(({ ok }) => ok)).toEqual([false, false, true]);
  expect(Object.keys(result.relay)).toEqual(["env", "qstash", "network"]);
  expect(Object.values(result.relay).map(({ ok }) => ok)).toEqual([true, true, true]);
  expect(stdout).not.toMatch(/17841400000000001|only-here/);
});
