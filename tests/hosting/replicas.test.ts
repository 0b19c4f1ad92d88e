// Two servers behind nginx, with its file of docs/hosting. `.ci/run` installs nginx; elsewhere there is nothing to test.
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { startBroker } from "#broker/broker.ts";
import { systemClock } from "#platform/clock.ts";
import { createLog } from "#platform/log.ts";

import { planDeliveries } from "../chaos/plan-deliveries.ts";
import { sendAsMeta } from "../chaos/send-as-meta.ts";
import { head, openRawClient } from "../local/raw-client.ts";
import { eventually } from "../support/eventually.ts";
import { createMigratedDatabase } from "../support/postgres.ts";
import { findTestPort } from "../support/test-port.ts";
import { startNginx } from "./nginx.ts";
import { type Replica, startReplica } from "./replica.ts";

const cronSecret = "cron-secret-of-thirty-two-characters";
const opsToken = "ops-token-of-thirty-two-characters";
const qstash = { token: "qstash-token", currentSigningKey: "sig_current_key", nextSigningKey: "sig_next_key" };
/** 128 and the number of SIGTERM. */
const drained = 143;
const closing: (() => unknown)[] = [];

const isRefusing = (port: number) =>
  fetch(`http://127.0.0.1:${port}/icon.svg`).then(
    ({ status }) => status === 503,
    () => false,
  );

describe.skipIf((process.env["TEST_HOSTING"] ?? "") === "")("two servers behind nginx", () => {
  const lines: string[] = [];
  let baseUrl = "";
  let pool: Pool;
  let replicas: Replica[] = [];
  let start: (port: number) => Promise<Replica>;

  beforeAll(async () => {
    const [store, messages] = await Promise.all([createMigratedDatabase(), createMigratedDatabase("broker")]);
    closing.push(store.drop, messages.drop);
    pool = new Pool({ connectionString: store.url, max: 2 });
    closing.push(() => pool.end());
    const [port, first, second] = [await findTestPort(), await findTestPort(), await findTestPort()];
    baseUrl = `http://127.0.0.1:${port}`;
    const broker = await startBroker({
      ...qstash,
      databaseUrl: messages.url,
      host: "127.0.0.1",
      port: 0,
      clock: systemClock,
      newId: randomUUID,
      log: createLog({ clock: systemClock, write: () => {} }),
    });
    closing.push(() => broker.stop());
    const env = {
      INSTAGRAM_APP_SECRET: "app-secret",
      INSTAGRAM_VERIFY_TOKEN: "verify-token",
      QSTASH_TOKEN: qstash.token,
      QSTASH_URL: broker.url,
      QSTASH_CURRENT_SIGNING_KEY: qstash.currentSigningKey,
      QSTASH_NEXT_SIGNING_KEY: qstash.nextSigningKey,
      RELAY_SECRET: "relay-secret-of-thirty-two-characters",
      RELAY_URL: baseUrl,
      DATABASE_URL: store.url,
      OPS_TOKEN: opsToken,
      CRON_SECRET: cronSecret,
      REPORT_SAMPLE_RATE: "1",
      DRAIN_DELAY_MS: "1000",
    };
    start = (at) => startReplica({ port: at, env, onLine: (line) => lines.push(line) });
    replicas = await Promise.all([start(first), start(second)]);
    closing.push(() => Promise.all(replicas.map((replica) => replica.stop())));
    const folder = mkdtempSync(join(tmpdir(), "relay-replicas-"));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const nginx = await startNginx({ folder, port, servers: [first, second], onLine: (line) => lines.push(line) });
    closing.push(() => nginx.stop());
    broker.startDispatching();
    closing.push(() => broker.stopDispatching());
  });
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  });

  test("a rolling restart under load refuses no delivery and no batch, loses none, and needs no fallback", async () => {
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const progress = { acked: 0 };
    const deliveries = planDeliveries("rolling", 1_000, { random: Math.random, nowMs: Date.now() });
    const sending = sendAsMeta(deliveries, {
      baseUrl,
      appSecret: "app-secret",
      rate: 6,
      retryDelayMs: 200,
      clock: systemClock,
      signal: stop.signal,
      onProgress: ({ acked }) => (progress.acked = acked),
    });
    const more = (count: number) => {
      const until = progress.acked + count;
      return eventually(`${count} more deliveries are acknowledged`, () => progress.acked >= until, 60_000);
    };
    await more(12);
    for (const [index, replica] of replicas.entries()) {
      // A request whose body is on its way keeps the server from ending, while it takes no others.
      const slow = await openRawClient(replica.port);
      const form = "Content-Type: application/x-www-form-urlencoded";
      await slow.send(head("POST /dashboard/sign-in", form, "Content-Length: 7", "Expect: 100-continue"));
      await slow.until("100 Continue");
      await slow.send("token=");
      const stopping = replica.stop();
      await eventually("the server refuses what it no longer takes", () => isRefusing(replica.port));
      await more(12);
      await slow.send("+");
      expect(await slow.until("Enter the token")).toContain("HTTP/1.1 401 ");
      expect(await stopping).toBe(drained);
      await more(6);
      replicas[index] = await start(replica.port);
      await more(8);
    }
    stop.abort();
    // The last one may have been stopped before it was sent.
    const sent = (await sending).filter(({ ackedAs, refusals }) => ackedAs !== null || refusals.length > 0);

    expect(sent.flatMap(({ refusals }) => refusals)).toEqual([]);
    expect(sent.filter(({ ackedAs }) => ackedAs === null)).toEqual([]);
    const keys = sent.flatMap((delivery) => delivery.keys).toSorted();
    const count = async (query: string) => Number((await pool.query<{ n: string }>(query)).rows[0]?.n);
    await eventually(
      "every event is stored",
      async () => (await count("select count(*) n from relay.events")) >= keys.length,
      30_000,
    );
    await eventually(
      "every event is handled",
      async () => (await count("select count(*) n from relay.event_work")) === 0,
      60_000,
    );
    const { rows } = await pool.query<{ key: string }>("select key from relay.events");
    expect(rows.map(({ key }) => key).toSorted()).toEqual(keys);
    expect(
      await count("select count(*) n from relay.deliveries where via = 'fallback' or error_type is not null"),
    ).toBe(0);
    expect(await count("select count(*) n from relay.delivery_attempts where retried > 0")).toBe(0);
    expect(await count("select count(*) n from relay.dead_letters")).toBe(0);
    expect(lines.filter((line) => /"level":"error"/.test(line))).toEqual([]);
  }, 120_000);

  test("either server accepts a session that the other one began, and maintenance runs on both at once", async () => {
    const [first = "", second = ""] = replicas.map(({ port }) => `http://127.0.0.1:${port}`);
    const form = new URLSearchParams({ token: opsToken });
    const signIn = await fetch(`${first}/dashboard/sign-in`, { method: "POST", body: form, redirect: "manual" });
    const cookie = signIn.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const me = await fetch(`${second}/api/ops/me`, { headers: { cookie } });
    expect([signIn.status, me.status, await me.json()]).toMatchObject([303, 200, { name: "ops" }]);
    const headers = { authorization: `Bearer ${cronSecret}` };
    const runs = await Promise.all(
      replicas.map(({ port }) => fetch(`http://127.0.0.1:${port}/api/cron/maintenance`, { headers })),
    );
    expect(runs.map(({ status }) => status)).toEqual([200, 200]);
  });

  test("ten wrong tokens are all that a client has, whichever server they meet and whatever address it claims", async () => {
    const statuses: number[] = [];
    for (let guess = 0; guess < 12; guess += 1) {
      const headers = { authorization: `Bearer wrong-${guess}`, "x-forwarded-for": `203.0.113.${guess}` };
      statuses.push((await fetch(`${baseUrl}/api/ops/me`, { headers })).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
  });
});
