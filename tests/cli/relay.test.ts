import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { signBody } from "#instagram/signature.ts";

import { startSink, type Respond, type Sink } from "../support/http-sink.ts";
import { appSecret, relay } from "./relay-process.ts";

let folder: string;
let sink: Sink | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "relay-commands-"));
});

afterEach(async () => {
  await sink?.close();
  sink = undefined;
  rmSync(folder, { recursive: true, force: true });
});

describe("relay", { timeout: 30_000 }, () => {
  test("trigger signs the payload of a kind and prints the id of the delivery", async () => {
    const url = await listen(() => ({ headers: { "x-delivery-id": "dlv_1" } }));
    const result = await relay(["trigger", "comment", "--to", "node", "--set", "entry.0.changes.0.value.text=mine"], {
      RELAY_URL: url,
    });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toMatch(/comment .* 200 .* dlv_1/);
    const request = await sink?.next();
    expect(request).toMatchObject({ method: "POST", target: "/api/webhooks/instagram/node" });
    expect(request?.headers["x-hub-signature-256"]).toBe(await signBody(appSecret, request?.body ?? Buffer.alloc(0)));
    expect(JSON.parse(String(request?.body))).toMatchObject({ entry: [{ changes: [{ value: { text: "mine" } }] }] });
  });

  test("trigger sends the files of a folder byte for byte in order of their names, prints a summary, and fails unless all are answered with 200", async () => {
    writeFileSync(join(folder, "b.json"), '{ "second":  1.0 }\n');
    writeFileSync(join(folder, "a.json"), "not even JSON");
    writeFileSync(join(folder, "c.txt"), "not sent");
    const url = await listen((_, index) => ({ status: index === 3 ? 503 : 200 }));
    const result = await relay(["trigger", ".", "--to", `${url}/elsewhere`, "--count", "2", "--json"], {
      INIT_CWD: folder,
    });
    expect(sink?.requests.map(({ body }) => String(body))).toEqual([
      "not even JSON",
      '{ "second":  1.0 }\n',
      "not even JSON",
      '{ "second":  1.0 }\n',
    ]);
    expect(sink?.requests.every(({ target }) => target === "/elsewhere")).toBe(true);
    expect(JSON.parse(result.stdout)).toMatchObject({
      sent: 4,
      ok: 3,
      deliveries: [{ source: "a.json" }, {}, {}, { status: 503 }],
    });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("1 of 4 deliveries were not answered with 200.");
  });

  test("trigger sends at a fixed rate, however slow the answers are", async () => {
    const url = await listen(() => ({}));
    const result = await relay(["trigger", "message", "--count", "20", "--rate", "100", "--json"], { RELAY_URL: url });
    expect(JSON.parse(result.stdout)).toMatchObject({ sent: 20, ok: 20 });
    expect(new Set(sink?.requests.map(({ body }) => String(body))).size).toBe(20);
  });

  test("events reads with the token and prints no control characters", async () => {
    const event = {
      ingestedAt: "2026-01-31",
      kind: "message\u001b[2J\u202e",
      accountId: "1",
      senderId: null,
      deliveryId: "dlv_1",
    };
    const url = await listen(() => ({ body: JSON.stringify({ events: [event], nextCursor: "next" }) }));
    const result = await relay(["events", "--kind", "message", "--delivery", "dlv_1", "--limit", "5"], {
      RELAY_URL: `${url}/`,
    });
    expect(result.status).toBe(0);
    expect(result.stdout).toContain("message\u{FFFD}[2J\u{FFFD}");
    expect(result.stdout).not.toContain("\u001b");
    const request = await sink?.next();
    expect(request?.target).toBe("/api/ops/events?kind=message&limit=5&deliveryId=dlv_1");
    expect(request?.headers.authorization).toBe("Bearer the-token");
  });

  test("delivery and dead-letters print the JSON of the server, or its error as one sentence", async () => {
    const url = await listen(({ target }) =>
      target.startsWith("/api/ops/dead-letters")
        ? { body: '{"deadLetters":[],"nextCursor":null}' }
        : { status: 404, body: '{"error":{"code":"NOT_FOUND","message":"No such delivery"}}' },
    );
    const letters = await relay(["dead-letters", "--json"], { RELAY_URL: url });
    expect([letters.status, JSON.parse(letters.stdout)]).toEqual([0, { deadLetters: [], nextCursor: null }]);
    const delivery = await relay(["delivery", "a/b"], { RELAY_URL: url });
    expect(delivery).toMatchObject({ status: 1, stdout: "", stderr: `✖ ${url} answered 404: No such delivery.\n` });
    expect(sink?.requests[1]?.target).toBe("/api/ops/deliveries/a%2Fb");
  });

  test.each([
    ["dead-letters --note looked", "Give the id of a group"],
    ["dead-letters 7 --note looked", "--note and --deployment go with"],
    ["dead-letters 7 --save file.json --resolve", "--save decides nothing"],
    ["dead-letters 7 --state open", "--state and --cause are for the list"],
    ["replay cancel rp_1 --kind comment", "--kind is for a new replay"],
  ])("%s fails instead of ignoring an option", async (command, reason) => {
    const result = await relay(command.split(" "), { RELAY_URL: "http://127.0.0.1:1" });
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain(reason);
  });

  test("drift prints a table", async () => {
    const times = { firstSeen: "2026-01-31T12:00:00.000Z", lastSeen: "2026-01-31T13:00:00.000Z" };
    const item = { kind: "message", path: "message.is_ai", finding: "unknown_field", shape: "boolean", count: 3 };
    const url = await listen(() => ({ body: JSON.stringify({ drift: [{ ...item, ...times, eventId: 7 }] }) }));
    const result = await relay(["drift", "--limit", "5"], { RELAY_URL: url });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toMatch(/message .* message\.is_ai .* unknown_field .* boolean .* 3 .* 7 /);
    expect((await sink?.next())?.target).toBe("/api/ops/drift?limit=5");
  });

  test("finds the address and the secrets of a start in its data folder", async () => {
    const url = await listen(() => ({}));
    const dataDir = join(folder, "data");
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, "secrets.json"), JSON.stringify({ INSTAGRAM_APP_SECRET: "another" }));
    writeFileSync(join(dataDir, "running.json"), JSON.stringify({ pid: process.pid, baseUrl: url }));
    const result = await relay(["trigger", "read", "--json"], { DATA_DIR: dataDir, INSTAGRAM_APP_SECRET: "" });
    expect(result.status).toBe(0);
    const request = await sink?.next();
    expect(request?.headers["x-hub-signature-256"]).toBe(await signBody("another", request?.body ?? Buffer.alloc(0)));
  });

  test("what is missing is a sentence without a stack trace, and every command has a help text", async () => {
    const missing = await relay(["migrate"], { DATA_DIR: join(folder, "data") });
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringMatching(/^✖ DATABASE_URL is not set[^\n]*\n$/)]);
    const unknown = await relay(["nonsense"]);
    expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringMatching(/^error: unknown command 'nonsense'/)]);
    const help = await relay(["listen", "--help"], { COLUMNS: "60" });
    expect([help.status, help.stderr]).toEqual([0, ""]);
    expect(Math.max(...help.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(60);
    for (const option of ["--from <url>", "--kind <kind>", "--json", "--zone <zone>"])
      expect(help.stdout).toContain(option);
  });
});

async function listen(respond: Respond): Promise<string> {
  sink = await startSink({ respond });
  return sink.url;
}
