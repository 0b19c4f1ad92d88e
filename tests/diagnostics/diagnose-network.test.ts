import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer, TLSSocket } from "node:tls";

import { describe, expect, onTestFinished, test } from "vitest";

import { diagnoseNetwork } from "#diagnostics/diagnose-network.ts";
import { explainNetwork, networkCodeOf } from "#diagnostics/explain-network.ts";
import { type Clock, systemClock } from "#platform/clock.ts";
import { findStoreFault } from "#store/connection/find-store-fault.ts";

import { openSink } from "../broker/test-broker.ts";
import type { SinkResponse } from "../support/http-sink.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { openTestStore } from "../support/store.ts";
import { createAuthority } from "./certificates.ts";
import { find, troubles } from "./environment.ts";

const healthy: SinkResponse = { body: '{"status":"ok","store":"ok","queue":"unknown","version":"0"}' };
const unused = "http://127.0.0.1:1";

test("reports every target that can be reached, step by step and with durations", async () => {
  const [qstash, relay, meta, { url }] = [
    await openSink(() => ({ status: 401 })),
    await openSink(() => healthy),
    await openSink(() => ({ status: 400 })),
    await openTestStore(),
  ];
  const env = {
    QSTASH_URL: qstash.url.replace("127.0.0.1", "localhost"),
    RELAY_URL: `${relay.url},https://the.old.one.example`,
    DATABASE_URL: url,
    VERCEL_AUTOMATION_BYPASS_SECRET: "bypass-secret",
  };
  const diagnosis = await diagnoseNetwork({
    queue: "qstash",
    env,
    clock: systemClock,
    findStoreFault,
    metaUrl: meta.url,
  });
  expect(troubles(diagnosis)).toEqual([]);
  const steps = { QStash: ["HTTP"], Postgres: ["TLS", "sign-in", "query", "schema"], Relay: ["HTTP"], Meta: ["HTTP"] };
  expect(diagnosis.checks.map(({ name }) => name)).toEqual(
    Object.entries(steps).flatMap(([target, rest]) => ["DNS", "TCP", ...rest].map((step) => `${target}: ${step}`)),
  );
  for (const { durationMs } of diagnosis.checks) expect(durationMs).toEqual(expect.any(Number));
  expect(find(diagnosis, "QStash: HTTP").detail).toBe("answered 401");
  expect(find(diagnosis, "Postgres: query").detail).toMatch(/^Postgres 1[5-9]/);
  expect(find(diagnosis, "Relay: HTTP").detail).toBe("the relay: store ok, queue unknown");
  expect(await relay.next()).toMatchObject({
    target: "/api/health",
    headers: { "x-vercel-protection-bypass": "bypass-secret" },
  });
  expect((await qstash.next()).headers.authorization).toBeUndefined();
});

describe("the relay's own address", () => {
  test.each<[string, SinkResponse, string, RegExp]>([
    [
      "Deployment Protection",
      { status: 401, headers: { "x-vercel-error": "UNAUTHORIZED" } },
      "failed answered 401",
      /Deployment Protection/,
    ],
    ["another application", { body: "<html>" }, "failed answered 200, not as a relay", /another server/],
    [
      "a relay whose own address redirects",
      { status: 503, body: '{"status":"failing","store":"ok","relayUrl":{"status":"redirects"}}' },
      "failed the relay: store ok, queue unknown",
      /RELAY_URL redirects/,
    ],
    ["a redirect", { status: 301, headers: { location: "/" } }, "failed answered 301, not as a relay", /redirects/],
    [
      "a deployment that is gone",
      { status: 404, headers: { "x-vercel-error": "DEPLOYMENT_NOT_FOUND" } },
      "failed answered 404, not as a relay",
      /no longer exists/,
    ],
    [
      "a relay without a variable",
      {
        status: 503,
        body: '{"error":{"code":"ENV_INVALID","message":"QSTASH_TOKEN is not set, ACK_MODE is malformed"}}',
      },
      "failed answered 503",
      /QSTASH_TOKEN is not set, ACK_MODE is malformed\.$/,
    ],
    [
      "a relay without its store",
      { status: 503, body: '{"status":"down","store":"down","queue":"unknown"}' },
      "failed the relay: store down, queue unknown",
      /Postgres/,
    ],
    [
      "a relay whose queue fails",
      { body: '{"status":"ok","store":"ok","queue":"failing"}' },
      "warning the relay: store ok, queue failing",
      /could not be published/,
    ],
  ])("answers as %s", async (_, response, found, cause) => {
    const relay = await openSink(() => response);
    const diagnosis = await diagnose({ RELAY_URL: relay.url });
    expect(troubles(diagnosis)).toContain(`Relay: HTTP: ${found}`);
    expect(find(diagnosis, "Relay: HTTP").cause).toMatch(cause);
  });
});

describe("an address", () => {
  test("with an unknown name fails at DNS, and nothing else is tried", async () => {
    const diagnosis = await diagnose({ QSTASH_URL: "https://nowhere.invalid" });
    expect(troubles(diagnosis).filter((trouble) => trouble.startsWith("QStash"))).toEqual([
      expect.stringMatching(/^QStash: DNS: failed E(NOTFOUND|AI_AGAIN)$/),
      "QStash: TCP: skipped not tried, because DNS failed",
      "QStash: TLS: skipped not tried, because DNS failed",
      "QStash: HTTP: skipped not tried, because DNS failed",
    ]);
    expect(find(diagnosis, "QStash: DNS").remedy).toContain("QSTASH_URL");
  });

  test("where nothing listens fails at TCP", async () => {
    const diagnosis = await diagnose({ QSTASH_URL: unused });
    expect(find(diagnosis, "QStash: TCP")).toMatchObject({
      status: "failed",
      detail: "ECONNREFUSED",
      cause: "Nothing listens at that address and port.",
    });
  });

  test("without TLS behind https, or with an untrusted certificate, fails at TLS", async () => {
    const plain = await openSink();
    const authority = createAuthority();
    const port = await listen(createTlsServer(authority.issue("localhost", 1), answerNothing));
    const env = { QSTASH_URL: plain.url.replace("http:", "https:"), RELAY_URL: `https://localhost:${port}` };
    const diagnosis = await diagnose(env);
    expect(find(diagnosis, "QStash: TLS")).toMatchObject({
      status: "failed",
      cause: expect.stringMatching(/speak TLS/),
    });
    expect(find(diagnosis, "Relay: TLS")).toMatchObject({
      status: "failed",
      cause: expect.stringMatching(/certificate/),
    });
    expect(find(diagnosis, "Relay: HTTP").status).toBe("skipped");
  });

  test("of Meta that cannot be reached is a warning: the relay does not need it", async () => {
    const diagnosis = await diagnoseNetwork({
      queue: "qstash",
      env: {},
      clock: systemClock,
      findStoreFault,
      metaUrl: unused,
    });
    expect(find(diagnosis, "Meta: TCP")).toMatchObject({
      status: "warning",
      detail: "ECONNREFUSED",
      cause: expect.stringMatching(/ The relay calls Meta for a backfill only; your handlers may\.$/),
    });
    expect(find(diagnosis, "Meta: HTTP").status).toBe("skipped");
  });

  test("that is missing is reported", async () => {
    const diagnosis = await diagnose({ DATABASE_URL: "postgres://u:p:#@db/x" });
    expect(troubles(diagnosis)).toEqual(
      expect.arrayContaining(["Postgres: failed no address", "Relay: failed no address"]),
    );
    expect(JSON.stringify(diagnosis)).not.toContain("p:#");
  });

  test("that accepts a connection and sends nothing is given up in time", async () => {
    const port = await listen(createServer(answerNothing));
    const silent = `127.0.0.1:${port}`;
    const env = {
      QSTASH_URL: `http://${silent}`,
      RELAY_URL: `https://${silent}`,
      DATABASE_URL: `postgres://user:password@${silent}/x?sslmode=verify-full`,
    };
    const startedAt = hurriedClock.monotonicMs();
    const options = {
      queue: "qstash" as const,
      env,
      clock: hurriedClock,
      findStoreFault,
      metaUrl: `http://${silent}`,
    };
    const diagnosis = await diagnoseNetwork(options);
    expect(hurriedClock.monotonicMs() - startedAt).toBeLessThan(15_000);
    expect(troubles(diagnosis).filter((trouble) => !trouble.includes("not tried"))).toEqual([
      "QStash: HTTP: failed no answer within 4.0 s",
      "Postgres: TLS: failed no answer within 4.0 s",
      "Relay: TLS: failed no answer within 3.0 s",
      "Meta: HTTP: warning no answer within 4.0 s",
    ]);
  });
});

describe("Postgres", () => {
  test("an empty database lacks the schema, and an older one is behind", async () => {
    const empty = await createTestDatabase();
    onTestFinished(() => empty.drop());
    const { url, pool } = await openTestStore();
    await pool.query("delete from relay.migrations where name = '0012_alerts'");
    const first = await diagnose({ DATABASE_URL: empty.url });
    const second = await diagnose({ DATABASE_URL: url });
    expect([first, second].map((diagnosis) => find(diagnosis, "Postgres: schema"))).toMatchObject([
      { status: "failed", detail: "missing", remedy: expect.stringContaining("npm run relay -- migrate") },
      {
        status: "failed",
        detail: "behind",
        cause: expect.stringContaining(" 0012_alerts."),
        remedy: expect.stringContaining("npm run relay -- migrate"),
      },
    ]);
  });

  test("wrong passwords, databases and TLS have different advice", async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const change = (set: (url: URL) => unknown) => {
      const url = new URL(database.url);
      set(url);
      return diagnose({ DATABASE_URL: url.href });
    };
    const wrong = await change((url) => (url.password = "password-only-here"));
    const unknown = await change((url) => (url.pathname = "/nowhere_to_be_found"));
    const plain = await change((url) => url.searchParams.set("sslmode", "verify-full"));
    expect(find(wrong, "Postgres: sign-in")).toMatchObject({
      detail: "28P01",
      cause: expect.stringMatching(/password/),
    });
    expect(find(unknown, "Postgres: sign-in")).toMatchObject({ detail: "3D000", cause: expect.stringMatching(/name/) });
    expect(find(plain, "Postgres: TLS")).toMatchObject({
      status: "failed",
      cause: expect.stringMatching(/does not offer it/),
    });
    expect(find(plain, "Postgres: sign-in").status).toBe("skipped");
    expect(JSON.stringify([wrong, unknown])).not.toMatch(/only-here|nowhere_to_be_found/);
  });

  test("an untrusted certificate fails the handshake of the driver", async () => {
    const secure = createAuthority().issue("localhost", 1);
    const server = createServer((socket) => {
      socket.on("error", () => {});
      // The SSLRequest of the protocol's message flow, answered with yes.
      socket.once("data", () => {
        socket.write("S");
        new TLSSocket(socket, { isServer: true, ...secure }).on("error", () => {});
      });
    });
    const port = await listen(server);
    const diagnosis = await diagnose({ DATABASE_URL: `postgres://u:p@localhost:${port}/x?sslmode=verify-full` });
    expect(find(diagnosis, "Postgres: TLS")).toMatchObject({
      status: "failed",
      cause: expect.stringMatching(/certificate/),
    });
  });
});

test.each([
  ["expired", "localhost", -1, "CERT_HAS_EXPIRED", /has expired/],
  ["of another host", "another.example", 1, "ERR_TLS_CERT_ALTNAME_INVALID", /another host name/],
] as const)("a certificate that is %s is explained", async (_, host, days, code, cause) => {
  const authority = createAuthority();
  const port = await listen(createTlsServer(authority.issue(host, days), answerNothing));
  const socket = connectTls({ host: "localhost", port, ca: authority.pem });
  const error: unknown = await once(socket, "secureConnect").catch((thrown: unknown) => thrown);
  expect(networkCodeOf(error)).toBe(code);
  expect(explainNetwork(error, { variable: "RELAY_URL" }).cause).toMatch(cause);
});

/** Eight times as fast as the real one. */
const hurriedClock: Clock = {
  ...systemClock,
  monotonicMs: () => systemClock.monotonicMs() * 8,
  after: (delayMs, callback) => systemClock.after(delayMs / 8, callback),
};

function diagnose(env: Record<string, string>) {
  return diagnoseNetwork({ queue: "qstash", env, clock: systemClock, findStoreFault, metaUrl: unused });
}

function answerNothing(socket: Socket): void {
  socket.on("error", () => {});
}

/** Its port; closed, with all its connections, when the test ends. */
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
