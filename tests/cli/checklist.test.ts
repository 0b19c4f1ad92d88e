/** `relay doctor --deployed` against the built server, behind what stands in front of a deployment. */
import { once } from "node:events";
import { createServer as createPlainServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import { gzipSync } from "node:zlib";

import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";

import type { Check } from "#diagnostics/check.ts";
import { ensureSchedule } from "#operations/maintenance-schedule.ts";
import { systemClock } from "#platform/clock.ts";
import { createQstashApi } from "#platform/qstash-api.ts";

import { createAuthority } from "../diagnostics/certificates.ts";
import { startTestRelay, type TestRelay } from "../support/relay.ts";
import { runCommand } from "../support/run-command.ts";
import { relay as runRelay } from "./relay-process.ts";

const opsToken = "ops-token-of-thirty-two-characters";
const relaySecret = "relay-secret-of-thirty-two-characters";
const cronSecret = "cron-secret-of-sixteen";

let relay: TestRelay;
beforeAll(async () => {
  relay = await startTestRelay({ CRON_SECRET: cronSecret });
}, 120_000);
afterAll(() => relay.stop());

const servers: { close(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Answers in the relay's place, or not. */
type Front = (asked: IncomingMessage, answer: ServerResponse) => boolean;

/** A server in front of the relay, with TLS if there is a certificate. */
async function stand(front: Front, secure?: { key: string; cert: string }): Promise<string> {
  const answer = (asked: IncomingMessage, response: ServerResponse) => {
    if (front(asked, response)) return;
    const headers = { ...asked.headers, ...(secure === undefined ? {} : { "x-forwarded-proto": "https" }) };
    const passed = request(`${relay.baseUrl}${asked.url}`, { method: asked.method, headers }, (from) => {
      response.writeHead(from.statusCode ?? 502, from.headers);
      from.pipe(response);
    });
    asked.pipe(passed);
  };
  const server = secure === undefined ? createPlainServer(answer) : createServer(secure, answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return secure === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;
}

interface Checklist {
  ok: boolean;
  groups: { title: string; checks: Check[] }[];
}

const linesOf = ({ groups }: Checklist) =>
  groups.flatMap(({ checks }) => checks.map(({ name, status, detail }) => `${name}: ${status}, ${detail}`));

test("every point of a good deployment is ticked off, over https", { timeout: 60_000 }, async () => {
  const authority = createAuthority();
  const url = await stand(() => false, authority.issue("localhost", 60));
  const account = { url: relay.broker.url, token: "qstash-token" };
  const api = createQstashApi({ ...account, timeoutMs: 5_000, fetch, clock: systemClock });
  await ensureSchedule(api, { relayUrl: url, bypassSecret: null });
  const cron = { headers: { authorization: `Bearer ${cronSecret}` } };
  expect((await fetch(`${relay.baseUrl}/api/cron/maintenance`, cron)).status).toBe(200);

  const env = {
    OPS_TOKEN: opsToken,
    INSTAGRAM_VERIFY_TOKEN: "verify-token",
    RELAY_SECRET: relaySecret,
    QSTASH_URL: account.url,
    QSTASH_TOKEN: account.token,
    NODE_EXTRA_CA_CERTS: authority.writeFile(),
  };
  const { status, stdout, stderr } = await runRelay(["doctor", "--deployed", `${url}/`, "--json"], env);
  const list = JSON.parse(stdout) as Checklist;
  // Its secrets are too short or not of the form of Meta's and QStash's, and a busy machine's store is slow.
  const unusual = /^(INSTAGRAM_APP_SECRET|RELAY_URL|Region): warning/;
  const lines = linesOf(list);
  expect(lines.filter((line) => / (failed|warning), /.test(line) && !unusual.test(line))).toEqual([]);
  expect([status, stderr, list.ok]).toEqual([0, "", true]);
  const expected = [
    "Address: TLS: ok, TLSv1.3, certificate valid for 59 days",
    "HSTS: ok, 730 days",
    "Handshake with a wrong token: ok, refused with 403",
    "Handshake with the right token: ok, accepted",
    "Delivery with a forged signature: ok, refused with 401",
    "Operators only: ok, without a token refused with 401",
    "Signing keys: ok, both are QStash's",
    "Postgres: schema: ok, up to date",
    "Maintenance: ok, ran 0 minutes ago",
    "Schedule: ok, QStash calls maintenance every five minutes",
    "CRON_SECRET: ok, set; a stranger is refused with 401",
  ];
  expect(lines).toEqual(expect.arrayContaining(expected));
  for (const runtime of ["edge", "nodejs"])
    expect(lines).toContainEqual(expect.stringMatching(`^Genuine delivery, ${runtime}: ok, acknowledged in \\d+ ms$`));
  expect(lines).toContainEqual(expect.stringMatching(/^Region: (ok|warning), [\d.]+ ms for a round trip/));
  for (const secret of [...Object.values(env).slice(0, 3), account.token]) expect(stdout).not.toContain(secret);
  expect(await relay.ops("events")).toMatchObject({ events: [] });
});

test("without the deployment's secrets the rest is still ticked off, and the command fails", async () => {
  const { stdout, failure } = await runCommand(["doctor", "--deployed", relay.baseUrl], {});
  expect(stdout).toMatch(/^Address\n/);
  expect(stdout).toContain("! HTTPS");
  expect(stdout).toMatch(/– Genuine delivery, edge +OPS_TOKEN of the deployment is not set here/);
  expect(stdout).toMatch(/\n\d+ of \d+ ticked off; \d+ warnings?, \d+ not tried\.$/);
  expect(failure).toBe("1 check failed.");
});

const answering =
  (status: number, headers: Record<string, string>, body = ""): Front =>
  ({ url }, response) => {
    if (url?.startsWith("/api/webhooks/") !== true) return false;
    response.writeHead(status, headers).end(body);
    return true;
  };
const acceptingAll: Front = (asked, response) => {
  if (asked.method !== "POST") return false;
  return answering(200, {}, "OK")(asked, response);
};

test.each<[string, Front, string]>([
  [
    "a redirect",
    answering(308, { location: "https://www.example.com/api/webhooks/instagram?secret=1" }),
    "Reached by Meta: failed, redirects to https://www.example.com/api/webhooks/instagram",
  ],
  [
    "Deployment Protection",
    answering(401, { "set-cookie": "_vercel_sso_nonce=1" }, "Authentication Required"),
    "Reached by Meta: failed, answered 401",
  ],
  ["a bot challenge", answering(403, {}, "<html>"), "Reached by Meta: failed, answered 403, not as the relay"],
  ["something that accepts everything", acceptingAll, "Delivery with a forged signature: failed, answered 200"],
])("%s in front of the webhook is recognised", async (_, front, line) => {
  const url = await stand(front);
  const { json, failure } = await runCommand(["doctor", "--deployed", url, "--json"], {
    variables: { OPS_TOKEN: opsToken, INSTAGRAM_VERIFY_TOKEN: "verify-token", RELAY_SECRET: relaySecret },
  });
  const list = json() as unknown as Checklist;
  expect(linesOf(list)).toContain(line);
  expect([list.ok, failure]).toEqual([false, expect.stringMatching(/checks? failed/)]);
});

test.each<[string, string, string]>([
  ["an empty object", "{}", ""],
  ["null", "null", ""],
  ["checks that are none", '{"ok":true,"checks":[null],"queue":{},"probes":[null],"error":"x"}', ""],
  ["checks of other types", '{"ok":true,"checks":[{"name":{},"status":"toString","detail":1}],"probes":{"0":{}}}', ""],
  ["too much, compressed", gzipSync(Buffer.alloc(50_000_000, "[")).toString("latin1"), "gzip"],
])("a server that answers everything with %s is no relay", async (_, text, encoding) => {
  const headers = { "content-type": "application/json", ...(encoding === "" ? {} : { "content-encoding": encoding }) };
  const url = await stand((asked, response) => {
    asked.resume();
    response.writeHead(200, headers).end(text, "latin1");
    return true;
  });
  const { json, failure } = await runCommand(["doctor", "--deployed", url, "--json"], {
    variables: { OPS_TOKEN: opsToken },
  });
  const list = json() as unknown as Checklist;
  expect([list.ok, failure]).toEqual([false, expect.stringMatching(/checks? failed/)]);
  expect(linesOf(list)).toContain("Reached by Meta: failed, answered 200, not as the relay");
  expect(linesOf(list)).toContain("/api/diagnostics: failed, answered 200");
});

test("no token goes unencrypted to a public address", async () => {
  const url = await stand(() => false);
  const asking = vi.spyOn(globalThis, "fetch").mockImplementation(async () => Response.json({}));
  // It is none of the private ones, and leads here.
  const { port } = new URL(url);
  const { json } = await runCommand(["doctor", "--deployed", `http://0.0.0.0:${port}`, "--json"], {
    variables: { OPS_TOKEN: opsToken },
  });
  expect(linesOf(json() as unknown as Checklist).at(-1)).toBe("HTTPS: failed, not used");
  expect(asking).not.toHaveBeenCalled();
  asking.mockRestore();
});

test.each(["https://user:secret@relay.example", "https://relay.example/?a=1"])("%s is refused", async (url) => {
  const { failure, stdout } = await runCommand(["doctor", "--deployed", url], {});
  expect([failure, stdout]).toEqual(['--deployed must be an address without credentials, "?" and "#".', ""]);
});

test("where nothing listens, the address fails and nothing else is tried", async () => {
  const { json } = await runCommand(["doctor", "--deployed", "http://127.0.0.1:1", "--json"], {});
  expect(linesOf(json() as unknown as Checklist)).toEqual([
    "Address: DNS: ok, the host is an IPv4 address",
    "Address: TCP: failed, ECONNREFUSED",
  ]);
});
