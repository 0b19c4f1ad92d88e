/** Probes on the built server, with a real broker and Postgres: sent by the command, by maintenance, and by a stranger. */
import { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";

import { buildPayload } from "#conformance/payloads.ts";
import type { SignedBurst } from "#operations/probing.ts";
import type { ProbeStatus } from "#operations/read-probes.ts";

import { eventually } from "../support/eventually.ts";
import { startTestRelay, type TestRelay } from "../support/relay.ts";
import { runCommand } from "../support/run-command.ts";

const cronSecret = "cron-secret-of-at-least-sixteen";
const bearer = "ops-token-of-thirty-two-characters";

describe("probes of the built relay", () => {
  let started: TestRelay | undefined;
  const relay = () => started ?? expect.unreachable();
  let unsent = 0;

  beforeAll(async () => {
    started = await startTestRelay({ CRON_SECRET: cronSecret, PROBE_PAIRS_PER_DAY: "40" }, (line) => {
      if (line.includes('"event":"reports.failed"')) unsent += 1;
    });
    return () => relay().stop();
  }, 120_000);

  const ask = async (method: string, path: string, body?: unknown, token = bearer) => {
    const init: RequestInit = { method, headers: { authorization: `Bearer ${token}` } };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(`${relay().baseUrl}/api/${path}`, init);
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
  const run = (...args: string[]) => runCommand(args, {});
  /** What a probe must not leave behind. */
  const traces = async () => ({
    events: await query("select id from relay.events"),
    work: await query("select event_id from relay.event_work"),
    listed: (await relay().ops("deliveries"))["deliveries"],
  });
  const nothing = { events: [], work: [], listed: [] };

  test("the command measures pairs with OPS_TOKEN alone, and the relay stores them under the given name", async () => {
    const { failure, stdout, stderr } = await run(
      "probe",
      "--to",
      relay().baseUrl,
      "--pairs",
      "6",
      "--pause",
      "0",
      "--from",
      "laptop",
    );
    expect(failure).toBeNull();
    expect(stdout).toMatch(/Pairs +6, from laptop\n +Edge +\d.* ms .*\n +Node +\d.* ms /);
    expect(stderr).toContain("Next's emulation");
    const pairs = await query("select * from relay.probe_pairs order by at");
    expect(pairs).toHaveLength(6);
    expect(new Set(pairs.map(({ burst }) => burst)).size).toBe(2);
    for (const pair of pairs) {
      expect(pair).toMatchObject({
        vantage: "laptop",
        canary: false,
        edge_ms: expect.any(Number),
        node_ms: expect.any(Number),
      });
      expect(pair["edge_handler_ms"]).toBeLessThanOrEqual(pair["edge_ms"] as number);
      expect(pair["node_handler_ms"]).toBeLessThanOrEqual(pair["node_ms"] as number);
    }
    expect(pairs[0]).toMatchObject({ cold: "both", idle_edge_ms: null, idle_node_ms: null });
    expect(pairs[5]).toMatchObject({ cold: "none" });
    expect(await query("select id from relay.deliveries")).toEqual([]);
    expect(await traces()).toEqual(nothing);
    expect((await run("probe", "--to", "http://127.0.0.1:1")).failure).toContain("127.0.0.1:1");
  }, 60_000);

  test("maintenance sends a burst; its canary is published and ingested, and no handler or list has it", async () => {
    const { json } = await ask("GET", "cron/maintenance", undefined, cronSecret);
    const part = (json["parts"] as { name: string; result?: object }[]).find(({ name }) => name === "probes");
    expect(part).toMatchObject({ result: { sent: 4, failure: null } });
    const status = await eventually("the canary has arrived", async () => {
      const now = (await relay().ops("probes")) as unknown as ProbeStatus;
      const [canary] = now.canaries;
      return canary !== undefined && canary.edge.endToEndMs !== null && canary.nodejs.endToEndMs !== null && now;
    });
    expect(status).toMatchObject({
      sentToday: 4,
      emulated: true,
      budget: { pairsPerDay: 40 },
      vantage: "this deployment's Node function",
    });
    const [canary] = status.canaries;
    expect(canary?.edge.endToEndMs).toBeGreaterThan(0);
    const rows = await query("select runtime, probe, inserted, duplicates from relay.deliveries order by runtime");
    expect(rows).toEqual([
      { runtime: "edge", probe: true, inserted: 0, duplicates: 0 },
      { runtime: "nodejs", probe: true, inserted: 0, duplicates: 0 },
    ]);
    expect(await ask("GET", `ops/deliveries/${canary?.edge.deliveryId}`)).toMatchObject({ json: { probe: true } });
    expect(await traces()).toEqual(nothing);
    const { runtimes } = (await relay().ops("runtimes?window=1h")) as { runtimes: object[] };
    // Of ten pairs one is the canary, whose times are not judged.
    const counted = { deliveries: 0, events: 0, published: 0, coldStarts: 0, ackMs: null, probeMs: { count: 9 } };
    expect(runtimes).toMatchObject([counted, counted]);
    const { stdout } = await run("probe", "--budget", "--to", relay().baseUrl);
    expect(stdout).toMatch(/308: 288 of the schedule.* 20 of canaries/);
    expect(stdout).toContain("Of 2 canaries of the last day 2 arrived.");
  }, 60_000);

  test("the page can send a few at once", async () => {
    const { status, json } = await ask("POST", "ops/probes/run", { pairs: 2 });
    expect([status, json]).toMatchObject([200, { failure: null, emulated: true, pairs: [{}, {}] }]);
    expect((await ask("POST", "ops/probes/run", { pairs: 9 })).status).toBe(400);
  });

  test("only the relay makes probes, and a repeated or unmarked one stores no event", async () => {
    for (const [method, path] of [
      ["GET", "probes"],
      ["POST", "probes"],
      ["POST", "probes/signed"],
      ["POST", "probes/run"],
    ] as const) {
      expect([path, (await ask(method, `ops/${path}`, method === "GET" ? undefined : {}, "wrong")).status]).toEqual([
        path,
        401,
      ]);
    }
    const { json } = await ask("POST", "ops/probes/signed", { pairs: 2 });
    const [one = expect.unreachable(), two = expect.unreachable()] = (json as unknown as SignedBurst).probes;
    const send = (body: string, headers: Record<string, string>) =>
      fetch(`${relay().baseUrl}/api/webhooks/instagram`, { method: "POST", body, headers });
    const pairs = await query("select id from relay.probe_pairs");
    for (let index = 0; index < 3; index += 1) {
      expect((await send(one.body, one.headers)).headers.get("server-timing")).toContain("handler;dur=");
    }
    expect(await query("select id from relay.probe_pairs")).toHaveLength(pairs.length);

    // Without a mark of its own, as after five minutes, it is a delivery; the consumer drops what it carries.
    const { "x-relay-probe": mark = "", ...unmarked } = two.headers;
    const { "x-relay-probe": foreign = "" } = one.headers;
    const answers = [await send(two.body, unmarked), await send(two.body, { ...unmarked, "x-relay-probe": foreign })];
    for (const answer of answers) {
      expect([answer.status, answer.headers.get("server-timing")]).toEqual([200, null]);
      const journey = await relay().journey(answer.headers.get("x-delivery-id") ?? "");
      expect(journey).toMatchObject({ inserted: 0, duplicates: 0 });
    }
    expect(await traces()).toMatchObject({ events: [], work: [] });

    // Only a real delivery is one, also with a probe's mark.
    const real = await relay().deliver("edge", JSON.stringify(buildPayload("message", Date.now())), {
      "x-relay-probe": mark,
    });
    await relay().journey(real.headers.get("x-delivery-id") ?? "");
    expect((await traces()).events).toHaveLength(1);
  }, 60_000);

  test("a stranger's flood of forged probes is counted as refused deliveries", async () => {
    const flood = Array.from({ length: 50 }, () =>
      fetch(`${relay().baseUrl}/api/webhooks/instagram`, {
        method: "POST",
        body: '{"object":"instagram","entry":[]}',
        headers: {
          "x-hub-signature-256": `sha256=${"0".repeat(64)}`,
          "x-relay-probe": `t=${Math.floor(Date.now() / 1000)},v2=${"0".repeat(64)}`,
        },
      }),
    );
    let sentAgain = unsent;
    expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([401]));
    await eventually("the refusals are reported", async () => {
      // What is not sent within its second, as on a busy machine, goes with the next delivery's report.
      if (sentAgain < unsent) {
        sentAgain = unsent;
        await relay().deliver("edge", JSON.stringify(buildPayload("message", Date.now())));
      }
      const { runtimes, emulated } = (await relay().ops("runtimes?window=1h")) as {
        emulated: boolean;
        runtimes: { runtime: string; refusals: Record<string, number> }[];
      };
      expect(emulated).toBe(true);
      return (runtimes.find(({ runtime }) => runtime === "edge")?.refusals["SIGNATURE_INVALID"] ?? 0) >= 50;
    });
  }, 60_000);

  test("pairs of a machine whose clock is a day off are refused with the reason", async () => {
    const side = { ms: 20, handlerMs: 1, region: null, coldStart: false, idleMs: null };
    const pair = (at: number) => ({
      id: crypto.randomUUID(),
      burst: crypto.randomUUID(),
      at: new Date(at).toISOString(),
      first: "edge",
      deployment: null,
      edge: side,
      nodejs: side,
    });
    const post = (at: number, more = {}) =>
      ask("POST", "ops/probes", { vantage: "ci", pairs: [{ ...pair(at), ...more }] });
    expect(await post(Date.now())).toEqual({ status: 200, json: { saved: 1, known: 0 } });
    expect(await post(Date.now() + 86_400_000)).toMatchObject({
      status: 400,
      json: { error: { message: expect.stringContaining("clock") } },
    });
    expect(await post(Date.now() - 86_400_000)).toMatchObject({
      status: 400,
      json: { error: { message: expect.stringContaining("clock") } },
    });
    expect(await post(Date.now(), { edge: { ...side, ms: -1 } })).toMatchObject({
      status: 400,
      json: { error: { message: expect.stringContaining("pairs.0.edge.ms must not be negative") } },
    });
  });
});
