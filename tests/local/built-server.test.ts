/** Needs the build that `npm test` makes first. */
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";

import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";

import { signBody } from "#instagram/signature.ts";

import { startTestServer, type TestServer } from "../support/server.ts";
import { head, openRawClient } from "./raw-client.ts";

const environment = (baseUrl: string) => ({
  INSTAGRAM_APP_SECRET: "app-secret",
  QSTASH_TOKEN: "token",
  QSTASH_URL: baseUrl,
  RELAY_SECRET: "relay-secret-of-thirty-two-characters",
  RELAY_URL: baseUrl,
  OPS_TOKEN: "ops-token-of-thirty-two-characters",
});
const lines: string[] = [];
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: environment, onLine: (line) => lines.push(line) });
});
afterAll(() => server.stop());

/** Refusals of earlier tests are reported some seconds later, and this server has no database to keep them. */
const isOfReports = (line: string) => /"event":"reports\.failed"|DATABASE_URL is not set/.test(line);

/** `.ci/run` sends more, because a race shows rarely. */
const isThorough = process.env["TEST_CHAOS"] === "more";

const webhooks = ["/api/webhooks/instagram", "/api/webhooks/instagram/node"];
const signed = `X-Hub-Signature-256: sha256=${"a".repeat(64)}`;

/** Sends it all, then reads until the other side closes. */
async function exchange(...parts: (string | Uint8Array)[]): Promise<string> {
  const client = await openRawClient(server.port);
  client.socket.pause();
  for (const part of parts) await client.send(part);
  client.socket.resume();
  await client.closed;
  return client.heard();
}

test("upgrade requests are answered and closed, with and without a route", async () => {
  const targets = ["/none", "/api/health", "/_next/hmr"];
  const answers = await Promise.all(
    Array.from({ length: isThorough ? 300 : 60 }, (_, index) =>
      exchange(head(`GET ${targets[index % 3]}`, "Connection: Upgrade", "Upgrade: websocket")),
    ),
  );
  expect(answers.filter((answer) => !/^HTTP\/1.1 (404|503) /.test(answer))).toEqual([]);
});

test("a client that pipelines a megabyte of requests does not keep others from being answered", async () => {
  const client = await openRawClient(server.port);
  await client.send(head("GET /dashboard/sign-in").repeat(40_000));
  expect((await fetch(`${server.baseUrl}${webhooks[0]}`, { method: "POST", body: "{}" })).status).toBe(401);
  await client.closed;
  expect(client.heard().match(/HTTP\/1.1 /g)?.length ?? 0).toBeLessThan(3);
});

const paths = [
  "/",
  "/none",
  "/dashboard",
  "/dashboard/sign-in",
  "/dashboard/deliveries/1",
  "/data-deletion/1",
  ...webhooks,
];
const apiPaths = ["health", "ops/events", "ops/deliveries/1", "qstash/instagram-ingestion", "internal/reports"];

test.for([...paths, ...apiPaths.map((path) => `/api/${path}`)])(
  "no malformed request makes %s fail or log",
  async (path) => {
    const before = lines.length;
    const requests: [string, string, ...string[]][] = [
      ["400", `GET ${path}/%E0%A4%A`],
      ["400", `POST ${path}%`],
      ["400", `GET ${path}/%00`],
      ["405", `TRACE ${path}`],
      ["405", `PROPFIND ${path}`],
      ["400", `GET ${path}`, "Host: another.test"],
    ];
    for (const [status, line, ...headers] of requests) {
      const answer = await exchange(head(line, ...headers));
      expect([line, answer.split(" ")[1]]).toEqual([line, status]);
      expect(answer).toMatch(
        /\r\ncontent-type: application\/json\r\n[\s\S]*\{"error":\{"code":"[A-Z_]+","message":"[^"]+"\}\}/i,
      );
    }
    expect(lines.slice(before).filter((line) => !isOfReports(line))).toEqual([]);
  },
);

test("what Next takes for a Server Action is not logged", async () => {
  const before = lines.length;
  const form = '--x\r\nContent-Disposition: form-data; name="$ACTION_ID_a"\r\n\r\n\r\n--x--\r\n';
  const contentType = "Content-Type: multipart/form-data; boundary=x";
  for (const path of ["/", "/none", "/dashboard", "/dashboard/deliveries/1"]) {
    const headers = [contentType, "Next-Action: a", `Content-Length: ${form.length}`, "Connection: close"];
    expect(await exchange(head(`POST ${path}`, ...headers), form)).not.toMatch(/^HTTP\/1.1 (409|5)/);
  }
  expect(lines.slice(before).filter((line) => /server.action|^ +at /i.test(line))).toEqual([]);
});

test("a malformed query does not cause a 500", async () => {
  for (const path of [...paths, ...apiPaths.map((name) => `/api/${name}`)]) {
    const answer = await exchange(head(`GET ${path}?q=%E0%A4%A&%=%`, "Connection: close"));
    expect([path, /^HTTP\/1.1 (2|3|4|503)/.test(answer)]).toEqual([path, true]);
  }
});

test("the length of a log line does not depend on what a client sends", async () => {
  const long = "p".repeat(7_000);
  const before = lines.length;
  const close = "Connection: close";
  const answers = await Promise.all([
    exchange(head(`GET /_next/image?url=%2F${"p".repeat(2_000)}.png&w=64&q=75`, close)),
    exchange(head(`GET /${long}`, close)),
    exchange(head(`GET /api/ops/deliveries/${long}?${long}`, `Authorization: Bearer ${long}`, close)),
    exchange(head(`GET /api/diagnostics/lifecycle/${long}`, close)),
    exchange(head(`GET ${webhooks[0]}?hub.mode=${long}&hub.verify_token=${long}`, close)),
    exchange(
      head("POST /api/qstash/instagram-ingestion", `Upstash-Message-Id: ${long}`, "Content-Length: 2", close),
      "{}",
    ),
    exchange(head("POST /dashboard/sign-in", `Next-Action: ${long}`, "Content-Length: 2", close), "{}"),
    exchange(
      head(`POST ${webhooks[0]}`, signed, "Transfer-Encoding: chunked", close),
      "400000\r\n",
      new Uint8Array(4_194_304),
      "\r\n0\r\n\r\n",
    ),
  ]);
  expect(answers.map((answer) => answer.split(" ")[1])).toEqual(expect.not.arrayContaining(["500", undefined]));
  const tooLong = lines.slice(before).filter((line) => line.length > 800);
  expect(tooLong).toEqual([]);
});

test.for(webhooks)("%s refuses an unsigned or too large delivery before its body arrives", async (path) => {
  const client = await openRawClient(server.port);
  await client.send(head(`POST ${path}`, "Content-Length: 3000000"));
  expect(await client.until("SIGNATURE_INVALID")).toContain("HTTP/1.1 401 ");
  const large = await openRawClient(server.port);
  await large.send(head(`POST ${path}`, signed, "Content-Length: 9500000"));
  expect(await large.until("BODY_TOO_LARGE")).toContain("HTTP/1.1 413 ");
  for (const { socket } of [client, large]) socket.destroy();
});

test.for(webhooks)("%s: a client that sends everything before it reads gets the refusal each time", async (path) => {
  const body = new Uint8Array(9_000_000);
  const chunk = `${body.length.toString(16)}\r\n`;
  for (let sender = 0; sender < (isThorough ? 20 : 4); sender += 1) {
    const announced = await exchange(head(`POST ${path}`, signed, "Content-Length: 9000000"), body);
    const chunked = await exchange(
      head(`POST ${path}`, signed, "Transfer-Encoding: chunked"),
      chunk,
      body,
      "\r\n0\r\n\r\n",
    );
    const unsigned = await exchange(
      head(`POST ${path}`, "Content-Length: 2000000", "Connection: close"),
      body.subarray(0, 2_000_000),
    );
    expect([announced, chunked, unsigned].map((answer) => answer.split(" ")[1])).toEqual(["413", "413", "401"]);
  }
});

test("a connection is used again until an answer closes it, whether the route reads the body or not", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const ports = new Set<number | undefined>();
  let closed = 0;
  const ask = async (method: string, path: string, body: string) => {
    const sent = request(server.baseUrl + path, {
      method,
      agent,
      headers: { "x-hub-signature-256": signed.split(" ")[1] },
    });
    sent.end(body);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    ports.add(response.socket.localPort);
    await response.toArray();
    if (response.headers.connection === "close") closed += 1;
    return response.statusCode;
  };
  for (const path of ["/icon.svg", ...paths, ...apiPaths.map((name) => `/api/${name}`)]) {
    for (const [method, body] of [
      ["GET", ""],
      ["POST", ""],
      ["POST", "{}"],
    ] as const) {
      expect(await ask(method, path, body), `${method} ${path}`).toBeLessThan(504);
    }
  }
  expect(ports.size).toBe(1 + closed);
});

test("a body limit above Next's own applies to the edge route without another build", async () => {
  const roomy = await startTestServer({
    env: (baseUrl) => ({ ...environment(baseUrl), WEBHOOK_BODY_BYTES_MAX: "12000000", PUBLISH_RETRIES: "0" }),
  });
  onTestFinished(async () => void (await roomy.stop("SIGKILL")));
  const body = new TextEncoder().encode(
    JSON.stringify({ object: "instagram", entry: [], pad: "x".repeat(11_500_000) }),
  );
  const headers = { "x-hub-signature-256": await signBody("app-secret", body) };
  const response = await fetch(`${roomy.baseUrl}${webhooks[0]}`, { method: "POST", body, headers });
  expect(response.status).toBe(200);
}, 60_000);

test.each(webhooks)("the ack of %s is not compressed: it is shorter than a compressed one", async (path) => {
  // The first new connection after the start is the first that is hardened.
  await exchange(head("GET /none", "Connection: close"));
  const body = new TextEncoder().encode('{"object":"instagram","entry":[]}');
  const headers = { "x-hub-signature-256": await signBody("app-secret", body), "accept-encoding": "gzip" };
  const response = await fetch(`${server.baseUrl}${path}`, { method: "POST", body, headers });
  expect([response.status, await response.text()]).toEqual([200, "EVENT_RECEIVED"]);
  expect(response.headers.get("content-encoding")).toBe(null);
});

test("once its module is loaded, the consumer is called past Next, and answers as it does through Next", async () => {
  const call = async (query: string) => {
    const url = `${server.baseUrl}/api/qstash/instagram-ingestion${query}`;
    const answer = await fetch(url, { method: "POST", body: "{}" });
    const names = ["content-type", "cache-control", "x-content-type-options"];
    const facts = [answer.status, ...names.map((name) => answer.headers.get(name)), await answer.text()];
    // Next alone adds `vary`.
    return { byNext: answer.headers.has("vary"), facts };
  };
  const through = await call("?through=next");
  const past = await call("");
  expect([through.byNext, past.byNext]).toEqual([true, false]);
  expect(past.facts).toEqual(through.facts);
});
