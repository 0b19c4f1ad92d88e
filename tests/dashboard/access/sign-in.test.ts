import { randomUUID } from "node:crypto";

import { expect, test } from "vitest";

import { answerOps } from "#dashboard/access/answer-ops.ts";
import { createSession, createSignInLink } from "#dashboard/access/ops-session.ts";
import { answerSignIn } from "#dashboard/access/sign-in.ts";
import { answerSignOut } from "#dashboard/access/sign-out.ts";
import { RelayError } from "#platform/errors.ts";
import { openDatabase } from "#store/connection/database.ts";

import { createTestAccess, opsToken, type TestAccess } from "../../support/ops-access.ts";
import { openTestStore } from "../../support/store.ts";

const baseUrl = "http://localhost:3000";

async function setUp(relayUrls: string[] = []): Promise<TestAccess> {
  const { db } = await openTestStore();
  return createTestAccess(() => db, { relayUrls });
}

/** Nothing listens there. */
function setUpWithoutStore(): TestAccess {
  const { db } = openDatabase("postgres://nobody@127.0.0.1:1/none");
  return createTestAccess(() => db);
}

const linkFor = (access: TestAccess, nowMs = access.clock.nowMs()) =>
  createSignInLink({ baseUrl, opsToken, nowMs, id: randomUUID() });

const get = (access: TestAccess, url: string, headers: Record<string, string> = {}, method = "GET") =>
  answerSignIn(new Request(url, { method, headers }), access);

function post(access: TestAccess, fields: Record<string, string>, headers: Record<string, string> = {}) {
  const body = new URLSearchParams(fields).toString();
  return answerSignIn(new Request(`${baseUrl}/dashboard/sign-in`, { method: "POST", body, headers }), access);
}

function signOut(access: TestAccess, cookie: string, site = "same-origin") {
  const headers = { cookie, "sec-fetch-site": site };
  return answerSignOut(new Request(`${baseUrl}/dashboard/sign-out`, { method: "POST", headers }), access);
}

function ask(access: TestAccess, headers: Record<string, string>, method = "GET") {
  return answerOps(new Request(`${baseUrl}/api/ops/x`, { method, headers }), access, async () => ({}));
}

const cookieOf = (response: Response) => response.headers.get("set-cookie")?.split(";")[0] ?? "";

test("a ticket sets the cookie and redirects to the dashboard by a relative address without the ticket", async () => {
  const access = await setUp();
  const response = await get(access, await linkFor(access));
  expect(response.status).toBe(303);
  expect(response.headers.get("location")).toBe("/dashboard");
  expect(response.headers.get("set-cookie")).toMatch(
    /^relay_session=[\w.-]+; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/,
  );
  expect(access.recording.of("sign_in.accepted")).toMatchObject([{ level: "info", by: "ticket", actor: "ops" }]);
});

test("a ticket works once, also if several browsers open it at the same time", async () => {
  const access = await setUp();
  const link = await linkFor(access);
  const responses = await Promise.all([get(access, link), get(access, link), get(access, link)]);
  expect(responses.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 401, 401]);
  const again = await get(access, link);
  expect([again.status, cookieOf(again)]).toEqual([401, ""]);
  expect(await again.text()).toContain("has been used");
  expect(access.recording.of("sign_in.refused").at(-1)).toMatchObject({ by: "ticket", reason: "used" });
});

test("neither a HEAD nor a browser with a session uses up a link", async () => {
  const access = await setUp();
  const link = await linkFor(access);
  expect((await get(access, link, {}, "HEAD")).status).toBe(200);
  const cookie = cookieOf(await get(access, await linkFor(access)));
  const signedIn = await get(access, link, { cookie });
  expect([signedIn.status, cookieOf(signedIn)]).toEqual([303, ""]);
  expect(cookieOf(await get(access, link))).not.toBe("");
});

test.each(["https", "HTTPS, http"])("the cookie is Secure if the request came by %s", async (protocol) => {
  const access = await setUp();
  const response = await get(access, await linkFor(access), { "x-forwarded-proto": protocol });
  expect(response.headers.get("set-cookie")).toMatch(/^relay_session=.*; Secure$/);
});

test("if the relay's address is https, only the cookie with the __Host- prefix is read", async () => {
  const access = await setUp(["https://relay.example", "http://old.example"]);
  const response = await get(access, await linkFor(access));
  expect(response.headers.get("set-cookie")).toMatch(/^__Host-relay_session=.*; Path=\/; .*; Secure$/);
  const cookie = cookieOf(response);
  expect((await ask(access, { cookie })).status).toBe(200);
  expect((await ask(access, { cookie: cookie.replace("__Host-", "") })).status).toBe(401);
});

test("the cookie of a ticket opens the ops routes until signing out ends its session on the server", async () => {
  const access = await setUp();
  const cookie = cookieOf(await get(access, await linkFor(access)));
  const other = cookieOf(await get(access, await linkFor(access)));
  expect((await ask(access, { cookie: `other=1; ${cookie}` })).status).toBe(200);
  const response = await signOut(access, cookie);
  expect([response.status, response.headers.get("location")]).toEqual([303, "/dashboard/sign-in"]);
  expect(response.headers.get("set-cookie")).toMatch(/^relay_session=; Max-Age=0/);
  expect((await ask(access, { cookie })).status).toBe(401);
  expect((await get(access, `${baseUrl}/dashboard/sign-in`, { cookie })).status).toBe(200);
  expect((await ask(access, { cookie: other })).status).toBe(200);
});

test("another site cannot sign an operator out", async () => {
  const access = await setUp();
  const cookie = cookieOf(await get(access, await linkFor(access)));
  expect((await signOut(access, cookie, "cross-site")).headers.get("set-cookie")).toBeNull();
  expect((await ask(access, { cookie })).status).toBe(200);
});

test("an expired ticket and a forged one are refused, each with its reason", async () => {
  const access = await setUp();
  const expired = await get(access, await linkFor(access, access.clock.nowMs() - 13 * 3_600_000));
  expect([expired.status, cookieOf(expired)]).toEqual([401, ""]);
  expect(await expired.text()).toContain("expired");
  const forged = await get(access, `${baseUrl}/dashboard/sign-in?ticket=1.abc`);
  expect(forged.status).toBe(401);
  expect(await forged.text()).toContain("not valid");
  expect(access.recording.of("sign_in.refused").map(({ reason }) => reason)).toEqual(["expired", "forged"]);
});

test("the right token signs in and redirects to the page that was asked for", async () => {
  const access = await setUp();
  const response = await post(access, { token: ` ${opsToken}\n`, next: "/dashboard/deliveries/d_1" });
  expect(response.status).toBe(303);
  expect(response.headers.get("location")).toBe("/dashboard/deliveries/d_1");
  expect((await ask(access, { cookie: cookieOf(response) })).status).toBe(200);
});

test("signing in never redirects outside of the dashboard", async () => {
  const access = await setUp();
  for (const next of [
    "//evil.example",
    "https://evil.example",
    "/dashboard@evil.example",
    "/dashboard/\\evil",
    "/api",
    "/dashboard/../api/ops/events",
    "/dashboard/.%2E/api",
    "/dashboard/./sign-in?ticket=1",
  ]) {
    expect((await post(access, { token: opsToken, next })).headers.get("location")).toBe("/dashboard");
  }
});

test.each(["wrong", ""])("the token %j is refused with the form", async (token) => {
  const access = setUpWithoutStore();
  const response = await post(access, { token, next: '/dashboard"><script>' });
  const page = await response.text();
  expect(response.status).toBe(401);
  expect(cookieOf(response)).toBe("");
  expect(page).toContain("<form");
  expect(page).not.toContain("<script>");
});

test("after ten wrong tokens a client waits a minute and others do not; no log line holds a token", async () => {
  const access = await setUp();
  const guess = (token: string, client: string) => post(access, { token }, { "x-forwarded-for": client });
  for (let count = 0; count < 5; count += 1) {
    expect((await guess("a-wrong-guess", "203.0.113.7")).status).toBe(401);
    const headers = { authorization: "Bearer a-wrong-guess", "x-forwarded-for": "203.0.113.7" };
    expect((await ask(access, headers)).status).toBe(401);
  }
  for (const token of ["a-wrong-guess", opsToken]) {
    const response = await guess(token, "203.0.113.7");
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "60"]);
    expect(await response.text()).toContain("Try again in 60 s");
    const headers = { authorization: `Bearer ${token}`, "x-forwarded-for": "203.0.113.7" };
    const answer = await ask(access, headers);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "60"]);
    expect(await answer.json()).toMatchObject({ error: { code: "RATE_LIMITED" } });
  }
  // The operator elsewhere, and here with a link or a session.
  expect((await guess(opsToken, "198.51.100.1")).status).toBe(303);
  const cookie = cookieOf(await get(access, await linkFor(access), { "x-forwarded-for": "203.0.113.7" }));
  expect((await ask(access, { cookie, "x-forwarded-for": "203.0.113.7" })).status).toBe(200);

  await access.clock.advance(60_000);
  expect((await guess(opsToken, "203.0.113.7")).status).toBe(303);
  expect(access.recording.of("sign_in.refused")).toHaveLength(5);
  expect(access.recording.of("ops.refused")).toHaveLength(5);
  expect(access.recording.of("ops.limited")).toMatchObject([{ level: "warn", client: "203.0.113.7" }]);
  expect(JSON.stringify(access.recording.lines)).not.toMatch(/a-wrong-guess|the-ops-token/);
});

test("while many clients guess, every wrong token is refused and the right one is not", async () => {
  const access = await setUp();
  const guess = (token: string, client: number) =>
    ask(access, { authorization: `Bearer ${token}`, "x-forwarded-for": `203.0.113.${client}` });
  for (let client = 0; client < 100; client += 1) expect((await guess("wrong", client)).status).toBe(401);
  for (let client = 100; client < 110; client += 1) expect((await guess("wrong", client)).status).toBe(429);
  expect((await guess(opsToken, 200)).status).toBe(200);
  expect(access.recording.of("ops.limited")).toMatchObject([{ scope: "all" }]);
});

test("a form from the relay's own address is accepted behind a proxy that sends its own name as Host", async () => {
  const access = await setUp(["http://relay.example"]);
  const host = "127.0.0.1:3000";
  const ours = await post(access, { token: opsToken }, { origin: "http://relay.example", host });
  expect([ours.status, cookieOf(ours).split("=")[0]]).toEqual([303, "relay_session"]);
  expect((await post(access, { token: opsToken }, { origin: "http://evil.example", host })).status).toBe(401);
});

test("a form from another site is refused", async () => {
  const access = await setUp();
  const headers = { "sec-fetch-site": "cross-site" };
  expect((await post(access, { token: opsToken }, headers)).status).toBe(401);
});

test("a form that is too long is refused", async () => {
  expect((await post(setUpWithoutStore(), { token: "x".repeat(20_000) })).status).toBe(413);
});

test("without an OPS_TOKEN the page names the variable", async () => {
  const missing = () => {
    throw new RelayError("ENV_INVALID", "Configuration is incomplete: OPS_TOKEN is not set");
  };
  const access = { ...setUpWithoutStore(), opsTokens: missing };
  const response = await answerSignIn(new Request(`${baseUrl}/dashboard/sign-in`), access);
  expect(response.status).toBe(503);
  expect(await response.text()).toContain("OPS_TOKEN is not set");
});

test("while Postgres is down, no session begins or is valid, and the bearer token still works", async () => {
  const access = setUpWithoutStore();
  const response = await get(access, await linkFor(access));
  expect([response.status, cookieOf(response)]).toEqual([503, ""]);
  expect(await response.text()).toMatch(/The database .*<form/s);

  expect((await post(access, { token: opsToken })).status).toBe(503);
  const nowMs = access.clock.nowMs();
  const cookie = `relay_session=${await createSession({ opsToken, nowMs, id: randomUUID() })}`;
  const answer = await ask(access, { cookie });
  expect([answer.status, await answer.json()]).toEqual([
    503,
    { error: { code: "STORE_UNAVAILABLE", message: expect.any(String) } },
  ]);
  expect((await get(access, `${baseUrl}/dashboard/sign-in`, { cookie })).status).toBe(200);
  expect((await ask(access, { authorization: `Bearer ${opsToken}` })).status).toBe(200);

  const out = await signOut(access, cookie);
  expect([out.status, cookieOf(out)]).toEqual([503, "relay_session="]);
  expect(await out.text()).toContain("could not be ended on the server");
  const failures = access.recording.lines.filter(({ code }) => code === "STORE_UNAVAILABLE");
  expect(failures.map(({ event, level }) => [event, level])).toEqual([
    ["sign_in.failed", "error"],
    ["sign_in.failed", "error"],
    ["ops.refused", "error"],
    ["sign_out.failed", "error"],
  ]);
});

test("a request that changes something is refused if it comes from another site with only a cookie", async () => {
  const access = await setUp();
  const cookie = cookieOf(await get(access, await linkFor(access)));
  const authorization = `Bearer ${opsToken}`;
  const status = async (headers: Record<string, string>) => (await ask(access, headers, "POST")).status;
  expect(await status({ cookie, "sec-fetch-site": "same-origin" })).toBe(200);
  expect(await status({ cookie, "sec-fetch-site": "cross-site" })).toBe(401);
  expect(await status({ authorization, "sec-fetch-site": "cross-site" })).toBe(200);
  expect(await status({ cookie, authorization: "Bearer wrong" })).toBe(401);
  expect(await status({ cookie, authorization: "Basic of-a-proxy" })).toBe(200);
  expect(await status({ authorization: "Basic of-a-proxy" })).toBe(401);
});
