/** What only a process of its own shows: exit statuses, streams, signals, where secrets are found. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { signBody } from "#instagram/signature.ts";

import { eventually } from "../support/eventually.ts";
import { startSink, type Respond, type Sink } from "../support/http-sink.ts";
import { appSecret, relay, spawned, startRelay } from "./relay-process.ts";
import { root } from "./start-process.ts";

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

async function listen(respond: Respond): Promise<string> {
  sink = await startSink({ respond });
  return sink.url;
}

describe("relay", () => {
  test("nothing of a server's refusal moves the terminal's cursor", async () => {
    const message = "gone\u001B[2J\u009B1A\u202Etxt";
    const url = await listen(() => ({ status: 404, body: JSON.stringify({ error: { code: "NOT_FOUND", message } }) }));
    const { status, stderr } = await relay(["backfill", "--status", "bf_1"], { RELAY_URL: url });
    expect([status, stderr]).toEqual([1, `✖ ${url} answered 404: gone\uFFFD[2J\uFFFD1A\uFFFDtxt.\n`]);
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
    const [request] = sink?.requests ?? [];
    expect(request?.headers["x-hub-signature-256"]).toBe(await signBody(appSecret, request?.body ?? Buffer.alloc(0)));
    expect(JSON.parse(result.stdout)).toMatchObject({
      sent: 4,
      ok: 3,
      deliveries: [{ source: "a.json" }, {}, {}, { status: 503 }],
    });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("1 of 4 deliveries were not answered with 200.");
  });

  test("with --json an error is JSON, too, and standard error has its sentence", async () => {
    const url = await listen(() => ({
      status: 404,
      body: '{"error":{"code":"NOT_FOUND","message":"No such delivery"}}',
    }));
    const refused = await relay(["delivery", "x", "--json"], { RELAY_URL: url });
    const message = `${url} answered 404: No such delivery.`;
    expect(JSON.parse(refused.stdout)).toEqual({ error: { message, status: 404, code: "NOT_FOUND" } });
    expect([refused.status, refused.stderr]).toEqual([1, `✖ ${message}\n`]);
    const misspelt = await relay(["events", "--json", "--kind", "x"]);
    expect(JSON.parse(misspelt.stdout)).toMatchObject({
      error: { message: expect.stringContaining("Allowed choices are message,") as string },
    });
    expect(misspelt.status).toBe(1);
  });

  test("all events are lines of JSON, page after page, and a reader that has enough ends the command quietly", async () => {
    const url = await listen(({ target }) => {
      const first = Number(/cursor=(\d+)/.exec(target)?.[1] ?? 10_000);
      const events = Array.from({ length: 200 }, (_, index) => ({ id: first - index, data: "x".repeat(1_000) }));
      const nextCursor = first > 1_000 ? String(first - 200) : null;
      return { body: JSON.stringify({ events, nextCursor, scannedTo: null }) };
    });
    const command = `set -o pipefail; ${process.execPath} src/cli/bootstrap.mjs relay events --all`;
    expect(await shell(`${command} | wc -l`, url)).toEqual({ status: 0, stdout: "9200\n", stderr: "" });
    expect(await shell(`${command} | head -n 1 | cut -c 1-12`, url)).toEqual({
      status: 0,
      stdout: '{"id":10000,\n',
      stderr: "",
    });
  });

  test("Ctrl-C prints what there is and ends with 130", async () => {
    const url = await listen(() => ({}));
    const sending = startRelay(["trigger", "message", "--count", "9000", "--rate", "50", "--json"], { RELAY_URL: url });
    await eventually("some are sent", () => (sink?.requests.length ?? 0) > 3);
    sending.child.kill("SIGINT");
    const { status, stdout } = await sending.ended;
    expect(status).toBe(130);
    const { sent, ok } = JSON.parse(stdout) as { sent: number; ok: number };
    expect(sent).toBe(ok);
    expect(sent).toBeGreaterThan(3);
    expect(sent).toBeLessThan(9_000);
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

function shell(command: string, url: string) {
  const env = { ...process.env, RELAY_URL: url, OPS_TOKEN: "the-token" };
  return spawned(spawn("bash", ["-c", command], { cwd: root, env }));
}
