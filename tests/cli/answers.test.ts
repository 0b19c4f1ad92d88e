import { afterEach, describe, expect, test } from "vitest";

import { askRelay } from "#cli/doctor/ask-relay.ts";
import { signBody } from "#instagram/signature.ts";
import { systemClock } from "#platform/clock.ts";

import { startSink, type Respond, type Sink, type SinkResponse } from "../support/http-sink.ts";
import { runCommand } from "../support/run-command.ts";
import { findTestPort } from "../support/test-port.ts";

let sink: Sink | undefined;

afterEach(async () => {
  await sink?.close();
  sink = undefined;
});

async function listen(respond: Respond): Promise<string> {
  sink = await startSink({ respond });
  return sink.url;
}

const refusal = (status: number, code: string, message: string): SinkResponse => ({
  status,
  body: JSON.stringify({ error: { code, message } }),
});

describe("a relay that does not answer as one", () => {
  test.each<[what: string, answer: SinkResponse, sentence: RegExp]>([
    [
      "redirects",
      { status: 308, headers: { location: "https://relay.example/x" } },
      /redirects to https:\/\/relay\.example: set RELAY_URL/,
    ],
    [
      "answers a page",
      { body: "<!doctype html><title>Shop</title>" },
      /answered 200 with a page instead of JSON: another server/,
    ],
    [
      "does not run",
      { status: 500, body: "<!doctype html>" },
      /answered 500 without the relay's JSON: its code does not/,
    ],
    [
      "is protected",
      { status: 401, body: "Vercel Authentication" },
      /Deployment Protection answers instead of the relay\. Turn on/,
    ],
    ["refuses the token", refusal(401, "UNAUTHORIZED", "No"), /refuses OPS_TOKEN: set it to a token of this relay\.$/],
    [
      "wants another role",
      refusal(403, "FORBIDDEN", "The role admin is needed"),
      /answered 403: The role admin is needed\.$/,
    ],
    ["has no such row", refusal(404, "NOT_FOUND", "No such delivery"), /answered 404: No such delivery\.$/],
  ])("%s", async (_, answer, sentence) => {
    const url = await listen(() => answer);
    const { failure, stdout } = await runCommand(["delivery", "x"], { baseUrl: () => url });
    expect(failure).toMatch(sentence);
    expect(failure).not.toContain("\n");
    expect(stdout).toBe("");
  });

  test("is not there", async () => {
    const port = await findTestPort();
    const { failure } = await runCommand(["status"], { baseUrl: () => `http://127.0.0.1:${port}` });
    expect(failure).toBe(
      `Nothing listens at http://127.0.0.1:${port}: run npm start, or set RELAY_URL to the relay's address.`,
    );
    const unknown = await runCommand(["status"], { baseUrl: () => "http://relay.invalid" });
    expect(unknown.failure).toMatch(/^http:\/\/relay\.invalid could not be reached \(E\w+\): .* RELAY_URL/);
  });
});

describe("trigger says why it was refused", () => {
  test.each<[status: number, answer: SinkResponse, sentence: RegExp]>([
    [
      401,
      refusal(401, "SIGNATURE_INVALID", "The signature is wrong"),
      /401 SIGNATURE_INVALID: The signature is wrong\. Set INSTAGRAM_APP_SECRET/,
    ],
    [
      403,
      { status: 403, body: "<html>" },
      /403: It is not the relay that answered so\. A firewall or Deployment Protection/,
    ],
    [413, refusal(413, "BODY_TOO_LARGE", "The body is too large"), /413 BODY_TOO_LARGE: .* WEBHOOK_BODY_BYTES_MAX/],
    [
      503,
      refusal(503, "ENV_INVALID", "RELAY_SECRET is not set"),
      /503 ENV_INVALID: RELAY_SECRET is not set\. Run relay doctor/,
    ],
    [
      307,
      { status: 307, headers: { location: "https://relay.example/" } },
      /307: .* redirects to https:\/\/relay\.example\//,
    ],
  ])("with %d", async (_, answer, sentence) => {
    const url = await listen(() => answer);
    const { failure, json } = await runCommand(["trigger", "message", "--count", "2", "--json"], {
      baseUrl: () => url,
    });
    expect(failure).toMatch(/^2 of 2 deliveries were not answered with 200\.\n {2}\S/);
    // The same reason is given once.
    expect(failure?.split("\n")).toHaveLength(2);
    expect(failure).toMatch(sentence);
    expect(json()).toMatchObject({ sent: 2, ok: 0 });
  });

  test.each(["--print", "--dry-run"])("%s prints the payload, and nothing is sent", async (option) => {
    const url = await listen(() => ({}));
    const place = { baseUrl: () => url };
    const { failure, json } = await runCommand(
      ["trigger", "comment", option, "--set", "entry.0.changes.0.value.text=hi"],
      place,
    );
    expect(failure).toBeNull();
    expect(json()).toMatchObject({
      object: "instagram",
      entry: [{ changes: [{ field: "comments", value: { text: "hi" } }] }],
    });
    expect(sink?.requests).toEqual([]);
  });
});

test("a replay without a condition asks for one, and nothing is planned", async () => {
  const url = await listen(() => ({}));
  const { failure } = await runCommand(["replay", "--yes"], { baseUrl: () => url });
  expect(failure).toMatch(/^Which events\? Name an --error/);
  expect(sink?.requests).toEqual([]);
});

test("trigger signs the payload of a kind and prints the id of the delivery; a rate does not wait for answers", async () => {
  const url = await listen(() => ({ headers: { "x-delivery-id": "dlv_1" } }));
  const change = "entry.0.changes.0.value.text=mine";
  const place = { baseUrl: () => url };
  const { failure, stdout, stderr } = await runCommand(["trigger", "comment", "--to", "node", "--set", change], place);
  expect([failure, stderr]).toEqual([null, `On the dashboard: ${url}/dashboard/deliveries/dlv_1`]);
  expect(stdout).toMatch(/comment .* 200 .* dlv_1/);
  const request = await sink?.next();
  expect(request).toMatchObject({ method: "POST", target: "/api/webhooks/instagram/node" });
  expect(request?.headers["x-hub-signature-256"]).toBe(await signBody("app-secret", request?.body ?? Buffer.alloc(0)));
  expect(JSON.parse(String(request?.body))).toMatchObject({ entry: [{ changes: [{ value: { text: "mine" } }] }] });

  // Deliveries to another receiver are on no page of this relay.
  const elsewhere = await runCommand(["trigger", "comment", "--to", `${url}/hook`], { baseUrl: () => `${url}0` });
  expect([elsewhere.failure, elsewhere.stderr]).toEqual([null, ""]);

  const many = await runCommand(["trigger", "message", "--count", "20", "--rate", "100", "--json"], place);
  expect(many.json()).toMatchObject({ sent: 20, ok: 20 });
  expect(new Set(sink?.requests.map(({ body }) => String(body))).size).toBe(22);
});

test("the doctor asks the relay under the user agent of the commands, by which its audit tells them", async () => {
  const url = await listen(() => refusal(404, "NOT_FOUND", "No such route"));
  const options = { baseUrl: url, opsToken: "ops-token", bypassSecret: null, onProgress: () => {} };
  expect(await askRelay({ ...options, fetch, clock: systemClock })).toMatchObject({ status: "failed" });
  expect((await sink?.next())?.headers["user-agent"]).toBe("instagram-webhook-relay-cli");
});

test("probe without a measured pair says why, and nothing of medians or of an emulated edge", async () => {
  const signed = {
    isEmulated: true,
    idleMs: { edge: null, nodejs: null },
    probes: [{ id: "1", body: "e30=", headers: {} }],
  };
  const url = await listen(({ target }) =>
    target === "/api/ops/probes/signed" ? { body: JSON.stringify(signed) } : { status: 404 },
  );
  const { failure, stdout, stderr } = await runCommand(["probe", "--pairs", "1"], { baseUrl: () => url });
  expect(failure).toMatch(/^0 of 1 pairs were measured: \/api\/webhooks\/instagram\S* answered 404/);
  expect([stdout, stderr]).toEqual(["", ""]);
});

test("events are read with the token and the user agent of the commands, and print no control characters", async () => {
  const event = { id: 1, ingestedAt: "2026-01-31", kind: "message\u001b[2J\u202e", accountId: "1", senderId: null };
  const url = await listen(() => ({ body: JSON.stringify({ events: [event], nextCursor: "next" }) }));
  const query = ["--kind", "message", "--delivery", "dlv_1", "--limit", "5"];
  const { stdout, stderr } = await runCommand(["events", ...query], { baseUrl: () => url });
  expect(stdout).toContain("message\u{FFFD}[2J\u{FFFD}");
  expect(stdout).not.toContain("\u001b");
  expect(stderr).toContain("For the next page add --cursor next");
  const request = await sink?.next();
  expect(request?.target).toBe("/api/ops/events?kind=message&limit=5&deliveryId=dlv_1");
  expect(request?.headers).toMatchObject({
    authorization: "Bearer ops-token-of-thirty-two-characters",
    "user-agent": "instagram-webhook-relay-cli",
  });
});

test("ids are escaped in addresses, --json is the server's JSON, and drift is a table", async () => {
  const times = { firstSeen: "2026-01-31T12:00:00.000Z", lastSeen: "2026-01-31T13:00:00.000Z" };
  const item = {
    kind: "message",
    path: "message.is_ai",
    finding: "unknown_field",
    shape: "boolean",
    count: 3,
    eventId: 7,
  };
  const url = await listen(({ target }) => {
    if (target.startsWith("/api/ops/drift")) return { body: JSON.stringify({ drift: [{ ...item, ...times }] }) };
    return target.startsWith("/api/ops/dead-letters") ? { body: '{"groups":[],"nextCursor":null}' } : { status: 404 };
  });
  const place = { baseUrl: () => url };
  expect((await runCommand(["dead-letters", "--json"], place)).json()).toEqual({ groups: [], nextCursor: null });
  await runCommand(["delivery", "a/b"], place);
  expect(sink?.requests[1]?.target).toBe("/api/ops/deliveries/a%2Fb");
  const { stdout } = await runCommand(["drift", "--limit", "5"], place);
  expect(stdout).toMatch(/message .* message\.is_ai .* unknown_field .* boolean .* 3 .* 7$/m);
  expect(sink?.requests[2]?.target).toBe("/api/ops/drift?limit=5");
});

test.each([
  ["dead-letters --note looked", "Give the id of a group"],
  ["dead-letters 7 --note looked", "--note and --deployment go with"],
  ["dead-letters 7 --save file.json --resolve", "--save decides nothing"],
  ["dead-letters 7 --state open", "--state and --cause are for the list"],
  ["replay cancel rp_1 --kind comment", "--kind is for a new replay"],
  ["trigger nonsense", '"nonsense" is neither a file or folder nor one of the kinds: message, '],
  ["trigger message --count 0", "whole number from 1"],
  ["trigger message --set nowhere.at.all=1", "--set nowhere.at.all: the payload has no such path"],
  ["events --zone Mars", "--zone Mars: no time zone has that name"],
  ["events --kind mesage", "Allowed choices are message, message.echo,"],
  ["events --state done", "Allowed choices are open, handled, retrying, dead, erased, unhandled."],
  ["events --test maybe", "Allowed choices are true, false."],
  ["events --from yesterday", "It must be a time such as"],
  ["deliveries --outcome gone", "Allowed choices are published, fallback, lost, refused."],
  ["deliveries --runtime node", "Allowed choices are edge, nodejs."],
  ["dead-letters --cause bug", "Allowed choices are qstash, undecodable, handler, too-large."],
  ["handlers --window 2h", "Allowed choices are 15m, 1h, 24h, 7d, 30d."],
  ["replay --kind mesage", "Allowed choices are message,"],
  ["audit --via phone", "Allowed choices are page, command, api."],
  ["events --follow --to 1h", "--follow shows what comes: it does not go with --to."],
  ["alerts mute --rule lost", "relay alerts mute needs --for"],
  ["alerts list --rule lost", "--rule and --scope are for a decision"],
  ["pause --resume --status", "cannot be used with option '--status'"],
  ["listen --from relay.example", '--from must begin with https:// or http://, not "relay.example".'],
  [
    "listen --from https://relay.example",
    "OPS_TOKEN_FROM is not set: set it to a token of https://relay.example, of role read.",
  ],
])("%s is an error before anything is asked", async (command, sentence) => {
  const url = await listen(() => ({}));
  const { failure, stdout } = await runCommand(command.split(" "), { baseUrl: () => url, localUrl: () => url });
  expect(failure).toContain(sentence);
  expect([stdout, sink?.requests]).toEqual(["", []]);
});
