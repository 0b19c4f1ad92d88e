import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { localEnvironment, type LocalStart } from "#local/local-environment.ts";
import { showChecks } from "#cli/doctor/show-checks.ts";
import { createPaint } from "#cli/terminal.ts";
import type { Check, Diagnosis } from "#diagnostics/check.ts";

import { createAuthority } from "../diagnostics/certificates.ts";
import { find } from "../diagnostics/environment.ts";
import { findTestPort } from "../support/test-port.ts";
import { relay } from "./relay-process.ts";

describe("relay doctor", () => {
  test("checks this machine even if no relay answers, and advises what to do", async () => {
    const nowhere = `http://127.0.0.1:${await findTestPort()}`;
    const authority = createAuthority();
    const relayUrl = await serveHealth(authority.issue("localhost", 3));
    const env = {
      DATA_DIR: emptyFolder(),
      RELAY_URL: relayUrl,
      NODE_EXTRA_CA_CERTS: authority.writeFile(),
      ...Object.fromEntries(ofQstash.map((name) => [name, ""])),
    };
    const { status, stdout, stderr } = await relay(["doctor", "--json", "--url", `${nowhere}/`], env);
    expect(status).toBe(1);
    const result = JSON.parse(stdout) as { here: Record<"env" | "network", Diagnosis> };
    expect(result).toMatchObject({ ok: false, here: { env: { ok: false }, qstash: { ok: false } }, relay: null });
    expect(find(result.here.env, "QSTASH_TOKEN")).toMatchObject({ status: "failed", detail: "not set" });
    // The certificate of an authority that is trusted, about to expire.
    const detail = "TLSv1.3, certificate valid for 2 days";
    expect(find(result.here.network, "Relay: TLS")).toMatchObject({ status: "warning", detail });
    expect(find(result.here.network, "Relay: HTTP").detail).toBe("the relay: store ok, queue ok");

    expect(stderr.split("\n").slice(0, 2)).toEqual([
      `On the relay at ${nowhere}`,
      "  ✖ /api/diagnostics  ECONNREFUSED",
    ]);
    expect(stderr).toMatch(
      /\n +cause {3}.*\n +remedy {2}Run npm start, or set --url to the address of the relay\.\n✖ \d+ checks failed\.\n$/,
    );
  });
});

describe("localEnvironment()", () => {
  const settings = { port: 3000, qstashPort: 8080, host: "127.0.0.1", dataDir: "/data" };
  const secrets = { OPS_TOKEN: "ops", QSTASH_TOKEN: "token", QSTASH_CURRENT_SIGNING_KEY: "current" };
  const running = {
    pid: 1,
    baseUrl: "http://127.0.0.1:3000",
    queueName: "qstash",
    qstashUrl: "http://127.0.0.1:8080",
    databaseUrl: "postgresql://postgres@127.0.0.1:5000/relay",
  };
  const start: LocalStart = { settings, secrets, running };

  test("fills absent variables with those of a running start, and names them", () => {
    const { env, fromStart, startRuns } = localEnvironment({ OPS_TOKEN: "mine", RELAY_URL: " " }, start);
    expect(env).toEqual({
      OPS_TOKEN: "mine",
      QSTASH_TOKEN: "token",
      QSTASH_CURRENT_SIGNING_KEY: "current",
      QSTASH_URL: running.qstashUrl,
      QUEUE: "qstash",
      RELAY_URL: running.baseUrl,
      DATABASE_URL: running.databaseUrl,
    });
    expect(fromStart).not.toContain("OPS_TOKEN");
    expect([fromStart.length, startRuns]).toEqual([6, true]);
  });

  test("has the queue of the running start, unless the environment names one", () => {
    const postgres = { ...running, queueName: "postgres", qstashUrl: "https://qstash.upstash.io" };
    const withCron = { ...secrets, CRON_SECRET: "cron" };
    const { env } = localEnvironment({}, { settings, secrets: withCron, running: postgres });
    expect(env).toMatchObject({ QUEUE: "postgres", CRON_SECRET: "cron" });
    expect(Object.keys(env).filter((name) => name.startsWith("QSTASH_"))).toEqual([]);
    expect(localEnvironment({ QUEUE: "sqs" }, { ...start, running: postgres }).env["QUEUE"]).toBe("sqs");
  });

  test("takes no database from a start that is not running", () => {
    const { env } = localEnvironment({}, { ...start, running: null });
    expect(env).toMatchObject({ QSTASH_URL: "http://127.0.0.1:8080", RELAY_URL: running.baseUrl });
    expect(env["DATABASE_URL"]).toBeUndefined();
  });

  test("does not use the keys of the embedded QStash for the real one", () => {
    const own = localEnvironment({ QSTASH_URL: "https://qstash.upstash.io" }, start).env;
    const started = localEnvironment({}, { ...start, running: { ...running, qstashUrl: "https://qstash.upstash.io" } });
    for (const env of [own, started.env]) expect(Object.keys(env)).not.toContain("QSTASH_TOKEN");
  });

  test("adds nothing if no start has run", () => {
    expect(localEnvironment({ PORT: "1" }, { ...start, secrets: null, running: null })).toEqual({
      env: { PORT: "1" },
      fromStart: [],
      startRuns: false,
    });
  });
});

test("checks are printed as a list with marks, advice below and not repeated, and no control characters", () => {
  const advice = { cause: "Why\u001b[2J.", remedy: "What." };
  const checks: Check[] = [
    { name: "one", status: "ok", detail: "fine", durationMs: 1.5 },
    { name: "another", status: "failed", detail: "bad", ...advice },
    { name: "third", status: "warning", detail: "so so", durationMs: 2, ...advice },
    { name: "last", status: "skipped", detail: "not tried" },
  ];
  expect(showChecks("Group", checks, createPaint({ NO_COLOR: "1" }, { isTTY: true }))).toBe(
    [
      "Group",
      "  ✔ one      fine  1.5 ms",
      "  ✖ another  bad",
      "      cause   Why\u{FFFD}[2J.",
      "      remedy  What.",
      "  ! third    so so  2 ms",
      "      as above",
      "  – last     not tried",
    ].join("\n"),
  );
  expect(showChecks("Group", checks, createPaint({}, { isTTY: true }))).toContain("\u001b[32m✔\u001b[39m one");
});

/** Whatever the surroundings have set. */
const ofQstash = ["QSTASH_URL", "QSTASH_TOKEN", "QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY"];

/** A server that looks like a relay as long as it is asked for its health; closed when the test ends. */
async function serveHealth(secure: { key: string; cert: string }): Promise<string> {
  const server = createServer(secure, (request, response) => {
    response.statusCode = request.url === "/api/health" ? 200 : 404;
    response.end('{"status":"ok","store":"ok","queue":"ok"}');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  return `https://localhost:${typeof address === "object" && address !== null ? address.port : 0}`;
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "relay-doctor-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
