import { expect, test } from "vitest";

import { createSession, createSignInLink } from "#dashboard/ops-session.ts";
import { requireOps } from "#dashboard/ops-guard.ts";
import { answerSignIn, answerSignOut } from "#dashboard/sign-in.ts";
import { systemClock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";

const nowMs = Date.parse("2026-01-31T12:00:00Z");
const opsToken = "the-token";
const baseUrl = "http://localhost:3000";
const options = { opsToken: () => opsToken, clock: { ...systemClock, nowMs: () => nowMs } };

const get = (url: string, headers: Record<string, string> = {}) => answerSignIn(new Request(url, { headers }), options);

function post(fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  const body = new URLSearchParams(fields).toString();
  return answerSignIn(new Request(`${baseUrl}/dashboard/sign-in`, { method: "POST", body, headers }), options);
}

test("a ticket sets the cookie and leads to the dashboard by a relative address, without itself", async () => {
  const response = await get(await createSignInLink({ baseUrl, opsToken, nowMs }));
  expect(response.status).toBe(303);
  expect(response.headers.get("location")).toBe("/dashboard");
  expect(response.headers.get("set-cookie")).toMatch(
    /^relay_session=[\w.-]+; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/,
  );
});

test("the cookie is Secure when the request came by https", async () => {
  const link = await createSignInLink({ baseUrl, opsToken, nowMs });
  const response = await get(link, { "x-forwarded-proto": "https" });
  expect(response.headers.get("set-cookie")).toMatch(/; Secure$/);
});

test("the cookie that a ticket sets opens the ops routes", async () => {
  const response = await get(await createSignInLink({ baseUrl, opsToken, nowMs }));
  const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
  const request = new Request(`${baseUrl}/api/ops/events`, { headers: { cookie: `other=1; ${cookie}` } });
  await expect(requireOps(request, { opsToken, nowMs })).resolves.toBeUndefined();
});

test("an expired ticket is refused and says so", async () => {
  const response = await get(await createSignInLink({ baseUrl, opsToken, nowMs: nowMs - 13 * 3_600_000 }));
  expect(response.status).toBe(401);
  expect(response.headers.get("set-cookie")).toBeNull();
  expect(await response.text()).toContain("expired");
});

test("a forged ticket is refused and says so", async () => {
  const response = await get(`${baseUrl}/dashboard/sign-in?ticket=1.abc`);
  expect(response.status).toBe(401);
  expect(await response.text()).toContain("not valid");
});

test("the right token signs in and leads back to where one wanted to go", async () => {
  const response = await post({ token: ` ${opsToken}\n`, next: "/dashboard/deliveries/d_1" });
  expect(response.status).toBe(303);
  expect(response.headers.get("location")).toBe("/dashboard/deliveries/d_1");
});

test.each(["//evil.example", "https://evil.example", "/dashboard@evil.example", "/dashboard/\\evil", "/api"])(
  "never leads on to %s",
  async (next) => {
    expect((await post({ token: opsToken, next })).headers.get("location")).toBe("/dashboard");
  },
);

test.each(["wrong", ""])("the token %j is refused with the form", async (token) => {
  const response = await post({ token, next: '/dashboard"><script>' });
  const page = await response.text();
  expect(response.status).toBe(401);
  expect(response.headers.get("set-cookie")).toBeNull();
  expect(page).toContain("<form");
  expect(page).not.toContain("<script>");
});

test.each([
  [{ "sec-fetch-site": "cross-site" }, 401],
  [{ origin: "https://evil.example", host: "localhost:3000" }, 401],
  [{ origin: "http://localhost:3000", host: "localhost:3000" }, 303],
  [{ "sec-fetch-site": "same-origin" }, 303],
])("a form sent with %j answers %i", async (headers, status) => {
  expect((await post({ token: opsToken }, headers)).status).toBe(status);
});

test("too long a form is refused", async () => {
  expect((await post({ token: "x".repeat(20_000) })).status).toBe(413);
});

test("without an OPS_TOKEN the page names what is missing", async () => {
  const missing = () => {
    throw new RelayError("ENV_INVALID", "Configuration is incomplete: OPS_TOKEN is not set");
  };
  const response = await answerSignIn(new Request(`${baseUrl}/dashboard/sign-in`), { ...options, opsToken: missing });
  expect(response.status).toBe(503);
  expect(await response.text()).toContain("OPS_TOKEN is not set");
});

test("signing out empties the cookie, but not for another site", () => {
  const request = (site: string) =>
    new Request(`${baseUrl}/dashboard/sign-out`, { method: "POST", headers: { "sec-fetch-site": site } });
  const response = answerSignOut(request("same-origin"));
  expect(response.status).toBe(303);
  expect(response.headers.get("set-cookie")).toMatch(/^relay_session=; Max-Age=0/);
  expect(answerSignOut(request("cross-site")).headers.get("set-cookie")).toBeNull();
});

test("a request that changes something needs more than a cookie from another site", async () => {
  const cookie = `relay_session=${await createSession({ opsToken, nowMs })}`;
  const request = (headers: Record<string, string>) =>
    requireOps(new Request(`${baseUrl}/api/ops/replay`, { method: "POST", headers }), { opsToken, nowMs });
  await expect(request({ cookie, "sec-fetch-site": "same-origin" })).resolves.toBeUndefined();
  await expect(request({ cookie, "sec-fetch-site": "cross-site" })).rejects.toThrow("OPS_TOKEN");
  await expect(
    request({ authorization: `Bearer ${opsToken}`, "sec-fetch-site": "cross-site" }),
  ).resolves.toBeUndefined();
  await expect(request({ cookie, authorization: "Bearer wrong" })).rejects.toThrow("OPS_TOKEN");
});
