/** The headers and limits of the built server, as a stranger sees them. */
import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createSession } from "#dashboard/access/ops-session.ts";

import { opsToken } from "../support/ops-access.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
const lines: string[] = [];
const metricsToken = "a-token-that-only-reads-the-metrics-here";

beforeAll(async () => {
  server = await startTestServer({
    env: {
      OPS_TOKEN: opsToken,
      OPS_TOKENS: `prometheus:metrics:${metricsToken}`,
      // Nothing listens there.
      DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
      RELAY_URL: "https://relay.example",
      INSTAGRAM_VERIFY_TOKEN: "verify-token",
    },
    onLine: (line) => lines.push(line),
  });
});
afterAll(() => server.stop());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(server.baseUrl + path, { headers, redirect: "manual" });

describe("headers", () => {
  test.each(["/", "/dashboard", "/dashboard/deliveries/d_1", "/dashboard/sign-in", "/data-deletion/abc"])(
    "the page %s cannot be framed and runs only our scripts",
    async (path) => {
      const { headers } = await get(path);
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("base-uri 'none'");
      expect(policy).not.toMatch(/unsafe-eval|(script|style)-src [^;]*'unsafe-inline'/);
      expect(Object.fromEntries(headers)).toMatchObject({
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": expect.stringContaining("camera=()"),
        "strict-transport-security": expect.stringMatching(/^max-age=\d{8}$/),
      });
    },
  );

  test.each([
    "/api/health",
    "/api/metrics",
    "/api/ops/events",
    "/api/webhooks/instagram",
    "/api/webhooks/instagram/node",
    "/nothing",
  ])("%s forbids guessing its type, and sets no header that only pages need", async (path) => {
    const response = await get(path, { "x-forwarded-proto": "https" });
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("strict-transport-security")).toMatch(/^max-age=/);
    const isForPeople = response.headers.has("permissions-policy");
    expect(isForPeople).toBe(!path.startsWith("/api/"));
  });
});

test("while Postgres is down a page with a session shows only that, and a page without one redirects to the sign-in", async () => {
  const session = await createSession({ opsToken, nowMs: Date.now(), id: randomUUID() });
  for (const path of ["/dashboard", "/dashboard/deliveries/d_1", "/dashboard/diagnostics"]) {
    const page = await get(path, { cookie: `__Host-relay_session=${session}` });
    expect(/cannot read the store.*The database /s.test(await page.text())).toBe(true);
    const signedOut = await get(path, { cookie: `__Host-relay_session=${session}x` });
    expect([signedOut.status, signedOut.headers.get("location")]).toEqual([
      307,
      `/dashboard/sign-in?next=${encodeURIComponent(path)}`,
    ]);
  }
});

test("the metrics need a token of any role, which opens nothing else; before Postgres was reached they are unavailable", async () => {
  const ask = (path: string, token: string) => get(path, { authorization: `Bearer ${token}` });
  expect((await get("/api/metrics")).status).toBe(401);
  const scrape = await ask("/api/metrics", metricsToken);
  expect([scrape.status, await scrape.json()]).toMatchObject([503, { error: { code: "STORE_UNAVAILABLE" } }]);
  const other = await ask("/api/ops/events", metricsToken);
  expect([other.status, await other.json()]).toMatchObject([403, { error: { code: "FORBIDDEN" } }]);
});

async function guess(count: number, forwardedFor?: string): Promise<Response> {
  const headers = forwardedFor === undefined ? {} : { "x-forwarded-for": forwardedFor };
  if (count % 2 === 0) return get("/api/ops/events", { ...headers, authorization: "Bearer a-wrong-guess" });
  const body = new URLSearchParams({ token: "a-wrong-guess" });
  return fetch(`${server.baseUrl}/dashboard/sign-in`, { method: "POST", headers, body });
}

test("after ten wrong tokens, by header and by form, a client has to wait", async () => {
  const statuses: number[] = [];
  for (let count = 0; count < 10; count += 1) statuses.push((await guess(count)).status);
  expect(statuses).toEqual(Array.from({ length: 10 }, () => 401));
  for (const count of [10, 11]) {
    const refused = await guess(count);
    expect([refused.status, Number(refused.headers.get("retry-after"))]).toEqual([429, expect.closeTo(30, -2)]);
  }
  const log = lines.join("\n");
  expect(log.match(/"sign_in.refused"/g)).toHaveLength(5);
  expect(log.match(/"ops.limited"/g)).toHaveLength(1);
  expect(log).not.toContain("a-wrong-guess");
});

test("a client with a new address for each guess, which only a proxy on this machine can claim, is refused after a hundred", async () => {
  const statuses: number[] = [];
  for (let count = 0; count < 120; count += 1) statuses.push((await guess(count, `203.0.113.${count}`)).status);
  expect(statuses.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => 401));
  expect(statuses.slice(100)).toEqual(Array.from({ length: 20 }, () => 429));
  // The operator is not: what answers here is the database that is away.
  const headers = { authorization: `Bearer ${opsToken}`, "x-forwarded-for": "198.51.100.1" };
  expect((await get("/api/ops/events", headers)).status).toBe(503);
});
