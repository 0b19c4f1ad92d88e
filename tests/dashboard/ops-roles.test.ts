/** Who may do what: the roles of OPS_TOKENS, in the routes and at sign-in. */
import { randomUUID } from "node:crypto";

import { expect, test } from "vitest";

import { answerOps } from "#dashboard/access/answer-ops.ts";
import { createSession, createSignInLink } from "#dashboard/access/ops-session.ts";
import { readOpsTokens } from "#dashboard/access/read-ops-tokens.ts";
import { readSignedIn } from "#dashboard/access/read-signed-in.ts";
import { answerSignIn } from "#dashboard/access/sign-in.ts";

import { createTestAccess, type TestAccess } from "../support/ops-access.ts";
import { openTestStore } from "../support/store.ts";

const baseUrl = "http://localhost:3000";
const token = (letter: string) => letter.repeat(32);
const env = {
  OPS_TOKEN: token("o"),
  OPS_TOKENS: `alice:admin:${token("a")},bob:read:${token("b")},prometheus:metrics:${token("m")}`,
};

/** Makes accesses with the same store and other tokens. */
async function setUp() {
  const { db } = await openTestStore();
  return (record: Record<string, string> = env): TestAccess =>
    createTestAccess(() => db, { opsTokens: () => readOpsTokens(record) });
}

/** The status, and the name that the request was let in under or the code of the error. */
async function ask(access: TestAccess, method: string, headers: Record<string, string>) {
  const request = new Request(`${baseUrl}/api/ops/x`, {
    method,
    headers: { "sec-fetch-site": "same-origin", ...headers },
  });
  const response = await answerOps(request, access, async ({ name }) => ({ actor: name }));
  const body = (await response.json()) as { actor?: string; error?: { code: string } };
  return [response.status, body.actor ?? body.error?.code ?? ""];
}

const bearer = (letter: string) => ({ authorization: `Bearer ${token(letter)}` });

/** Signs in with the form; the cookie is empty if that was refused. */
async function signIn(access: TestAccess, letter: string) {
  const body = new URLSearchParams({ token: token(letter) });
  const response = await answerSignIn(new Request(`${baseUrl}/dashboard/sign-in`, { method: "POST", body }), access);
  return { response, cookie: response.headers.get("set-cookie")?.split(";")[0] ?? "" };
}

test.each([
  ["OPS_TOKEN", "o", [200, "ops"], [200, "ops"]],
  ["an admin's", "a", [200, "alice"], [200, "alice"]],
  ["a reader's", "b", [200, "bob"], [403, "FORBIDDEN"]],
  ["one for metrics", "m", [403, "FORBIDDEN"], [403, "FORBIDDEN"]],
  ["an unknown one", "x", [401, "UNAUTHORIZED"], [401, "UNAUTHORIZED"]],
])("%s reads and changes what its role allows, under its name", async (_, letter, read, change) => {
  const access = (await setUp())();
  expect(await ask(access, "GET", bearer(letter))).toEqual(read);
  for (const method of ["POST", "DELETE"]) expect(await ask(access, method, bearer(letter))).toEqual(change);
});

test("a refusal says which role is needed and which there is, and leaves no token in the log", async () => {
  const access = (await setUp())();
  await ask(access, "POST", bearer("b"));
  const reason =
    'This needs the role admin, and the token "bob" has the role read: ask someone with that role, or sign in with another token';
  expect(access.recording.of("ops.refused")).toMatchObject([{ level: "warn", code: "FORBIDDEN", reason }]);
  expect(JSON.stringify(access.recording.lines)).not.toContain(token("b"));
});

test("a session has the role and the name of the token that was entered", async () => {
  const access = (await setUp())();
  const { cookie } = await signIn(access, "b");
  expect(await ask(access, "GET", { cookie })).toEqual([200, "bob"]);
  expect(await ask(access, "POST", { cookie })).toEqual([403, "FORBIDDEN"]);
  const admin = await signIn(access, "a");
  expect(await ask(access, "POST", { cookie: admin.cookie })).toEqual([200, "alice"]);
  expect(access.recording.of("sign_in.accepted").map(({ actor }) => actor)).toEqual(["bob", "alice"]);
});

test("a link that was made with a token signs in under its name", async () => {
  const access = (await setUp())();
  const nowMs = access.clock.nowMs();
  const link = await createSignInLink({ baseUrl, opsToken: token("b"), nowMs, id: randomUUID() });
  const cookie = (await answerSignIn(new Request(link), access)).headers.get("set-cookie")?.split(";")[0] ?? "";
  expect(await ask(access, "GET", { cookie })).toEqual([200, "bob"]);
});

test("taking a token out ends its sessions, and no others; a changed role applies at once", async () => {
  const createAccess = await setUp();
  const { cookie } = await signIn(createAccess(), "b");
  const other = await signIn(createAccess(), "a");
  const without = createAccess({ ...env, OPS_TOKENS: `alice:admin:${token("a")}` });
  expect(await ask(without, "GET", { cookie })).toEqual([401, "UNAUTHORIZED"]);
  expect(await ask(without, "GET", { cookie: other.cookie })).toEqual([200, "alice"]);
  const raised = createAccess({ ...env, OPS_TOKENS: `bob:admin:${token("b")}` });
  expect(await ask(raised, "POST", { cookie })).toEqual([200, "bob"]);
});

test("a token for the metrics opens no page, also with a session that its holder signed", async () => {
  const access = (await setUp())();
  const { response, cookie } = await signIn(access, "m");
  expect([response.status, cookie]).toEqual([401, ""]);
  expect(await response.text()).toContain("does not open the dashboard");
  expect(access.recording.of("sign_in.refused")).toMatchObject([{ reason: "role" }]);

  const forged = await createSession({ opsToken: token("m"), nowMs: access.clock.nowMs(), id: randomUUID() });
  expect(await ask(access, "GET", { cookie: `relay_session=${forged}` })).toEqual([401, "UNAUTHORIZED"]);
  const page = readSignedIn(
    {
      path: "/dashboard",
      address: "/dashboard",
      access,
      cookies: { get: () => ({ value: forged }) },
      openReads: () => {
        throw new Error("No page is read");
      },
    },
    async () => "shown",
  );
  await expect(page).rejects.toMatchObject({ digest: expect.stringContaining("/dashboard/sign-in") });
});

test("a token that is OPS_TOKEN too is refused, because its role would be a guess", () => {
  const record = { OPS_TOKEN: token("o"), OPS_TOKENS: `bob:read:${token("o")}` };
  expect(() => readOpsTokens(record)).toThrow('OPS_TOKENS has OPS_TOKEN as "bob"');
});
