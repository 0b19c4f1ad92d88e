import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { buildPayload, type PayloadKind } from "#conformance/payloads.ts";
import type { EventItem } from "#dashboard/events/read-events.ts";

import { eventually } from "../support/eventually.ts";
import { startTestRelay, type TestRelay } from "../support/relay.ts";
import { type CommandPlace, runCommand } from "../support/run-command.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { webhookRuntimes } from "../support/webhook-runtimes.ts";

const laptopSecret = "the-secret-of-the-relay-on-the-laptop";
const readToken = "the-read-token-of-a-laptop-----------";

/** `there` is the deployed relay, `here` the one on the laptop. */
describe("the commands at two built relays", () => {
  let [there, here]: TestRelay[] = [];
  const source = () => there ?? expect.unreachable();
  const target = () => here ?? expect.unreachable();

  beforeAll(async () => {
    [there, here] = await Promise.all([
      startTestRelay({ OPS_TOKENS: `laptop:read:${readToken}` }),
      startTestRelay({ RELAY_SECRET: laptopSecret }),
    ]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all([there?.stop(), here?.stop()]);
  });

  const deliver = async (kind: PayloadKind) => {
    const response = await source().deliver("edge", JSON.stringify(buildPayload(kind, Date.now())));
    const id = response.headers.get("x-delivery-id") ?? "";
    await source().journey(id);
    return id;
  };
  const at = (relay: TestRelay, ...args: string[]) => runCommand(args, { baseUrl: () => relay.baseUrl });
  const eventsOf = async (relay: TestRelay) => (await relay.ops("events?limit=200"))["events"] as EventItem[];
  /** A command that goes on until `stop`; what it printed so far is in `lines`. */
  const start = (args: string[], place: CommandPlace) => {
    const stop = new AbortController();
    const lines: string[] = [];
    const notes: string[] = [];
    const write = (text: string) => Promise.resolve(void lines.push(text));
    const note = (text: string) => void notes.push(text);
    const ended = runCommand(args, { ...place, signal: stop.signal, write, note });
    return { lines, notes, ended, stop: () => stop.abort() };
  };

  test("an operator's questions are answered, with addresses of the dashboard", async () => {
    const id = await deliver("message");
    const found = await at(source(), "find", id);
    expect(found.stdout).toContain(`${source().baseUrl}/dashboard/deliveries/${id}`);
    const missing = await at(source(), "find", "01a216e0-0000-7000-8000-000000000000");
    expect([missing.failure, missing.stdout]).toEqual([expect.stringMatching(/\w{4}/), ""]);
    const status = await at(source(), "status");
    expect(status.stdout).toMatch(/lost .*\n.*refused /);
    const { status: word } = (await at(source(), "status", "--json")).json();
    expect(status.exitStatus).toBe({ ok: 0, attention: 2, failing: 3 }[word as "ok"]);
    const deliveries = await at(
      source(),
      "deliveries",
      "--outcome",
      "published",
      "--runtime",
      webhookRuntimes[0],
      "--from",
      "1h",
      "--count",
    );
    expect(deliveries.stderr).toContain("1 in all.");
    expect(deliveries.stdout).toMatch(new RegExp(`${id} │ ${webhookRuntimes[0]} +│ published │ 1 `));
    expect(deliveries.stderr).toMatch(/On the dashboard: .*\/dashboard\/deliveries\?.*outcome=published/);
    const filtered = [
      "--kind",
      "message",
      "--state",
      "handled",
      "--runtime",
      webhookRuntimes[0],
      "--test",
      "false",
      "--delivery",
      id,
    ];
    expect((await at(source(), "events", ...filtered)).stdout).toMatch(/│ message │ handled │/);
    const handlers = await at(source(), "handlers", "--window", "15m", "--zone", "Asia/Tokyo");
    expect([handlers.failure, handlers.stdout]).toEqual([null, expect.stringMatching(/Kind .*\nmessage +│ 1 /)]);
    expect((await at(source(), "alerts")).stdout).toMatch(/lost .*│ ok /);
    await at(source(), "replay", "--kind", "comment", "--reason", "to leave a row");
    expect((await at(source(), "audit", "--via", "command", "--action", "replay.plan")).stdout).toMatch(
      /to leave a row/,
    );
  });

  test("events are followed as they come, and all of them are lines of JSON", async () => {
    const following = start(["events", "-f", "--kind", "reaction", "--json"], { baseUrl: () => source().baseUrl });
    await eventually("the first page is read", async () => {
      await deliver("reaction");
      return following.lines.length > 0;
    });
    await deliver("read");
    await deliver("reaction");
    const expected = (await eventsOf(source())).filter(({ kind }) => kind === "reaction").map(({ id }) => id);
    await eventually("the last one is shown", () =>
      following.lines.some((line) => line.includes(`"id":${expected[0]},`)),
    );
    following.stop();
    await following.ended;
    const shown = following.lines.map((line) => (JSON.parse(line) as EventItem).id);
    expect(shown).toEqual(expected.toReversed().slice(-shown.length));
    const all = await at(source(), "events", "--all");
    const lines = all.stdout.split("\n").map((line) => (JSON.parse(line) as EventItem).id);
    expect(lines).toEqual((await eventsOf(source())).map(({ id }) => id));
  });

  test("listen delivers the events of the one to the other, each once and in their order, also after an outage", async () => {
    for (const kind of ["message", "comment", "message.edited", "story_insights"] as const) await deliver(kind);
    const bytes = await source().deliver("node", "no JSON");
    await source().journey(bytes.headers.get("x-delivery-id") ?? "");
    const client = new Client({ connectionString: source().databaseUrl });
    await client.connect();
    await client.query(`update relay.events set erased_at = now(), data = '{"erased":"unsent"}' where kind = 'read'`);
    await client.end();

    const args = ["listen", "--from", `${source().baseUrl}/`, "--since", "1h", "--json"];
    const listening = start(args, { localUrl: () => target().baseUrl, variables: { OPS_TOKEN_FROM: readToken } });
    const forwarded = async () => {
      const known = new Set((await eventsOf(target())).map(({ key }) => key));
      const wanted = (await eventsOf(source())).filter(({ kind, erasedAt }) => kind !== "unknown" && erasedAt === null);
      return wanted.length > 0 && wanted.every(({ key }) => known.has(key));
    };
    await eventually("the past is here", forwarded, 20_000);
    await Promise.all([source().redeploy({}), target().redeploy({ RELAY_SECRET: laptopSecret })]);
    await deliver("postback");
    await deliver("mention");
    await eventually("what came later is here", forwarded, 20_000);
    listening.stop();
    const { failure } = await listening.ended;
    expect(failure).toBeNull();

    const reported = listening.lines.map(
      (line) => JSON.parse(line) as { id: number; kind: string; skipped: string | null },
    );
    const ids = (await eventsOf(source())).map(({ id }) => id).toReversed();
    expect(reported.map(({ id }) => id)).toEqual(ids);
    expect(reported.filter(({ skipped }) => skipped !== null).map(({ kind, skipped }) => [kind, skipped])).toEqual([
      ["read", "erased there"],
      ["unknown", "a body that could not be read"],
    ]);
    expect(await eventsOf(target())).toHaveLength(ids.length - 2);
    expect(listening.notes.at(-1)).toMatch(/^--since \S+ goes on from here\.$/);
    const secrets = [readToken, "app-secret"];
    for (const secret of secrets) expect([...listening.lines, ...listening.notes].join()).not.toContain(secret);
  }, 60_000);

  test("listen refuses to deliver a relay's events to itself, whatever its address", async () => {
    const proxy = await startTcpProxy(source().baseUrl, 80);
    const place = { localUrl: () => source().baseUrl, variables: { OPS_TOKEN_FROM: readToken } };
    const before = (await eventsOf(source())).length;
    for (const from of [source().baseUrl, source().baseUrl.replace("127.0.0.1", "localhost"), proxy.url]) {
      const { failure } = await runCommand(["listen", "--from", from, "--since", "1h"], place);
      expect(failure).toBe("--from is the relay on this machine: its own events would be delivered to it again.");
    }
    await proxy.close();
    expect(await eventsOf(source())).toHaveLength(before);
  });
});
