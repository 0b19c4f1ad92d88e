import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";

import { buildPayload } from "#conformance/payloads.ts";

import { relay as runRelay } from "../cli/relay-process.ts";
import { eventually } from "../support/eventually.ts";
import { parseSamples } from "../metrics/parse-samples.ts";
import { hasPromtool, runPromtool } from "../metrics/promtool.ts";
import { startTestRelay, type TestRelay } from "../support/relay.ts";
import { runCommand } from "../support/run-command.ts";
import { webhookRuntimes } from "../support/webhook-runtimes.ts";

const cronSecret = "the-secret-of-vercel-cron-jobs";
const bearer = "ops-token-of-thirty-two-characters";
const tokenOf = (name: string) => `the-token-of-${name}`.padEnd(32, "-");
const opsTokens = [
  `alice:admin:${tokenOf("alice")}`,
  `bob:read:${tokenOf("bob")}`,
  `scraper:metrics:${tokenOf("scraper")}`,
].join();

describe("the built relay", () => {
  let started: TestRelay | undefined;
  const relay = () => started ?? expect.unreachable();
  const run = (...args: string[]) =>
    runCommand(args, { baseUrl: () => relay().baseUrl, databaseUrl: () => relay().databaseUrl });
  const runApart = (...args: string[]) =>
    runRelay(args, { RELAY_URL: relay().baseUrl, QSTASH_URL: relay().broker.url, QSTASH_TOKEN: "qstash-token" });
  const ask = async (method: string, path: string, body?: unknown, token = bearer) => {
    const init = { method, headers: { authorization: `Bearer ${token}` } };
    const response = await fetch(
      `${relay().baseUrl}/api/${path}`,
      body === undefined ? init : { ...init, body: JSON.stringify(body) },
    );
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  const query = async (text: string) => {
    const client = new Client({ connectionString: relay().databaseUrl });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };

  beforeAll(async () => {
    started = await startTestRelay({ INGESTION_PARALLELISM: "10", CRON_SECRET: cronSecret, OPS_TOKENS: opsTokens });
    for (const kind of ["message", "comment"] as const) {
      const response = await relay().deliver("edge", JSON.stringify(buildPayload(kind, Date.now())));
      await relay().journey(response.headers.get("x-delivery-id") ?? "");
    }
    return () => relay().stop();
  }, 120_000);

  test("answers operators only, and no parameter or member that it does not know", async () => {
    for (const [method, path] of [
      ["POST", "ops/replays"],
      ["GET", "ops/replays"],
      ["POST", "ops/replays/rp_1/start"],
      ["POST", "ops/replays/rp_1/cancel"],
      ["GET", "ops/dead-letters/1"],
      ["POST", "ops/dead-letters/1/state"],
      ["POST", "ops/pause"],
      ["DELETE", "ops/pause"],
      ["GET", "cron/maintenance"],
    ] as const) {
      expect([path, (await ask(method, path, undefined, "wrong")).status]).toEqual([path, 401]);
    }
    expect((await ask("POST", "qstash/maintenance")).status).toBe(401);
    const good = { filter: { kind: "message" }, reason: "x" };
    expect((await ask("POST", "ops/replays?kind=x", good)).json).toMatchObject({ error: { code: "REQUEST_INVALID" } });
    expect((await ask("POST", "ops/replays", { ...good, filter: { acount: "1" } })).json).toMatchObject({
      error: { code: "REQUEST_INVALID", message: "filter.acount is not known" },
    });
    expect((await ask("POST", "ops/replays", { ...good, filter: {} })).status).toBe(400);
    expect((await ask("POST", "ops/replays", { filter: { kind: "message" } })).json).toMatchObject({
      error: { message: "reason is missing" },
    });
    expect((await ask("POST", "ops/replays", "{")).status).toBe(400);
    expect((await ask("GET", "ops/replays?more=1")).status).toBe(400);
    expect((await ask("GET", "ops/replays/rp_none")).status).toBe(404);
    expect((await ask("GET", "ops/dead-letters/none")).status).toBe(404);
    expect((await ask("POST", "ops/dead-letters/1/state", { state: "gone" })).status).toBe(400);
    expect((await ask("POST", "ops/pause", { more: 1 })).status).toBe(400);
  });

  test("does maintenance for the holder of CRON_SECRET, and says what each part did", async () => {
    const { status, json } = await ask("GET", "cron/maintenance", undefined, cronSecret);
    expect(status).toBe(200);
    expect(json).toMatchObject({ ok: true });
    expect((json["parts"] as unknown[]).length).toBeGreaterThan(8);
  });

  test("shows Prometheus what was delivered, as promtool wants it", async () => {
    await ask("GET", "cron/maintenance", undefined, cronSecret);
    const scrape = (token: string) =>
      fetch(`${relay().baseUrl}/api/metrics`, { headers: { authorization: `Bearer ${token}` } });
    const text = await (await scrape(tokenOf("scraper"))).text();
    const samples = parseSamples(text);
    expect(samples.get(`relay_deliveries_total{runtime="${webhookRuntimes[0]}",outcome="published"}`)?.value).toBe(2);
    expect(samples.get('relay_events_total{kind="comment",result="inserted"}')?.value).toBe(1);
    expect(samples.get("relay_maintenance_age_seconds")?.value).toBeLessThan(60);
    expect([...samples.keys()].filter((key) => key.startsWith("relay_ack_duration_seconds_count"))).not.toEqual([]);
    expect(hasPromtool ? runPromtool(["check", "metrics"], text) : "").toBe("");
    expect((await ask("GET", "ops/events", undefined, tokenOf("scraper"))).status).toBe(403);
  });

  test("is repaired by commands: groups, a saved dead letter, a replay, and the list of replays", async () => {
    await query(`insert into relay.event_work (event_id, delivery_id, batch_index, fence, attempts, next_attempt_at, state, kind)
      select id, delivery_id, batch_index, 1, 9, now(), 'dead', kind from relay.events where kind = 'message'`);
    await query(`insert into relay.dead_letter_groups (fingerprint, cause, error_name, kind, first_at)
      values ('f', 'handler', 'TypeError', 'message', now())`);
    await query(`insert into relay.dead_letters (source, source_id, group_id, event_id, kind, error_name)
      select 'handler', id::text, 1, id, kind, 'TypeError' from relay.events where kind = 'message'`);
    expect((await run("dead-letters")).stdout).toMatch(/1 .* open .* handler .* TypeError .* message .* 1 .* 1 /);
    expect((await run("dead-letters", "1", "--acknowledge", "--note", "mine")).stdout).toContain("is acknowledged");

    const folder = mkdtempSync(join(tmpdir(), "relay-"));
    const file = join(folder, "letter.json");
    try {
      expect(await run("dead-letters", "1", "--save", file)).toMatchObject({ failure: null });
      const sent = (await run("trigger", file, "--json")).json() as { deliveries: { deliveryId: string }[] };
      const deliveryId = sent.deliveries[0]?.deliveryId ?? "";
      await eventually("the saved dead letter came again", async () => {
        const journey = await relay().ops(`deliveries/${deliveryId}`);
        return journey["inserted"] === 0 && journey["duplicates"] === 1;
      });
    } finally {
      rmSync(folder, { recursive: true });
    }

    expect((await run("replay", "--group", "1")).failure).toMatch(/^Nothing was started/);
    const replayed = await run("replay", "--group", "1", "--yes", "--json");
    expect(replayed.failure).toBeNull();
    expect(replayed.json()).toMatchObject({ state: "finished", count: 1, done: 1, failed: 0, skipped: 0 });
    expect((await run("dead-letters", "1", "--json")).json()).toMatchObject({ group: { state: "resolved", open: 0 } });

    const refused = await run("replay", "--from", "2026-01-01T00:00:00Z", "--again");
    expect(refused.failure).toBe("Handlers would run again: confirm it with --confirm 2.");
    const again = await run("replay", "--from", "2026-01-01T00:00:00Z", "--again", "--confirm", "2");
    expect(again.failure).toBeNull();
    expect(again.stdout).toMatch(/Age .*2 under 24 hours/);
    const { replays } = (await run("replay", "list", "--json")).json() as { replays: { id: string }[] };
    expect(replays).toMatchObject([
      { state: "finished", mode: "again", done: 2 },
      { state: "planned" },
      { state: "finished" },
      { state: "planned" },
    ]);
    await query(`insert into relay.dead_letters (source, source_id, group_id, error_name, body, body_whole)
      values ('qstash', 'cut', 1, 'HTTP 503', 'cut', false)`);
    expect((await run("replay", "--group", "1", "--yes")).failure).toBe(
      "Nothing can be replayed: 1 dead letters cannot be taken.",
    );
    expect((await run("replay", "cancel", replays[1]?.id ?? "")).stdout).toContain("cancelled by ops");
    expect((await run("replay", "show", replays[1]?.id ?? "")).stdout).toContain("cancelled");
  }, 120_000);

  test("is paused and resumed, and its schedule is made and checked, by commands", async () => {
    expect((await run("pause")).stdout).toMatch(/is paused since .* Handlers of stored events go on/);
    const response = await relay().deliver("node", JSON.stringify(buildPayload("message", Date.now())));
    expect(response.status).toBe(200);
    await eventually("the batch waits", async () => (await relay().ops("pause"))["waiting"] === 1);
    expect((await run("resume")).stdout).toContain("not paused");
    await relay().journey(response.headers.get("x-delivery-id") ?? "");
    expect(await runApart("schedule", "check")).toMatchObject({ status: 1 });
    const created = await runApart("schedule", "create");
    expect([created.status, created.stderr]).toEqual([0, expect.stringContaining("The schedule is created.")]);
  }, 60_000);

  test("records who changed something, and a reader changes nothing", async () => {
    const plan = { filter: { kind: "message" }, reason: "to see who it was" };
    const { status, json } = await ask("POST", "ops/replays", plan, tokenOf("alice"));
    expect([status, json["actor"]]).toEqual([201, "alice"]);
    const { id } = json as { id: string };
    expect((await ask("GET", `ops/replays/${id}`, undefined, tokenOf("bob"))).json).toMatchObject({ actor: "alice" });
    for (const [method, path, body] of [
      ["POST", "ops/replays", plan],
      ["POST", `ops/replays/${id}/start`],
      ["POST", `ops/replays/${id}/cancel`],
      ["POST", "ops/dead-letters/1/state", { state: "open" }],
      ["POST", "ops/pause"],
      ["DELETE", "ops/pause"],
      ["POST", "diagnostics/qstash"],
    ] as const) {
      const refused = await ask(method, path, body, tokenOf("bob"));
      expect([path, refused.status, refused.json]).toMatchObject([path, 403, { error: { code: "FORBIDDEN" } }]);
    }
    expect((await ask("POST", `ops/replays/${id}/cancel`, undefined, tokenOf("alice"))).json).toMatchObject({
      state: "cancelled",
      stoppedBecause: "cancelled by alice",
    });
  });

  test("sends tests, which are stored beside what they repeat; its audit and its sessions say who did what", async () => {
    const stored = (await ask("GET", "ops/events?kind=message&test=false&limit=1")).json as {
      events: { id: number }[];
    };
    const eventId = stored.events[0]?.id ?? 0;
    const asked = [{ eventId, reason: "a look" }, { eventId, to: "node" }, { kind: "comment" }];
    const sent: string[] = [];
    for (const body of asked) {
      const { status, json } = await ask("POST", "ops/test-deliveries", body, tokenOf("alice"));
      expect([status, json["status"]]).toEqual([200, 200]);
      const id = json["deliveryId"] as string;
      // Before the next is sent: the list below has the order in which they were stored.
      await relay().journey(id);
      sent.push(id);
    }
    const { json } = await ask("GET", "ops/events?test=true");
    const tests = json["events"] as { kind: string; accountId: string; deliveryId: string }[];
    expect(tests.map(({ kind, accountId }) => [kind, accountId])).toEqual([
      ["comment", "0"],
      ["message", "0"],
      ["message", "0"],
    ]);
    expect(tests.map(({ deliveryId }) => deliveryId)).toEqual(sent.toReversed());

    const folder = mkdtempSync(join(tmpdir(), "relay-"));
    const fixture = await ask("GET", `ops/events/${eventId}/fixture`, undefined, tokenOf("bob"));
    const file = join(folder, "fixture.json");
    writeFileSync(file, JSON.stringify(fixture.json));
    const triggered = (await run("trigger", file, "--json")).json() as { deliveries: { deliveryId: string }[] };
    rmSync(folder, { recursive: true });
    expect(await relay().journey(triggered.deliveries[0]?.deliveryId ?? "")).toMatchObject({ inserted: 1 });

    const { audit } = (await ask("GET", "ops/audit?action=test-delivery.send&actor=alice")).json as {
      audit: unknown[];
    };
    const row = { actor: "alice", via: "api", result: "ok", address: "127.0.0.0/24" };
    expect(audit).toMatchObject([
      { ...row, target: sent[2], filter: { kind: "comment" } },
      { ...row, target: sent[1], filter: { eventId, to: "node" } },
      { ...row, target: sent[0], filter: { eventId }, reason: "a look" },
    ]);
    expect((await ask("GET", "ops/me", undefined, tokenOf("bob"))).json).toMatchObject({
      name: "bob",
      role: "read",
      via: "api",
    });
    const ended = await ask("POST", "ops/sessions/end", {}, tokenOf("bob"));
    expect(ended.json).toEqual({ name: "bob", ended: 0 });
    expect((await ask("POST", "ops/sessions/end", { name: "alice" }, tokenOf("bob"))).status).toBe(403);
  }, 60_000);
});
